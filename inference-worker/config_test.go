package inferenceworker

import (
	"strings"
	"testing"

	"maskfleet/pkg/config"
)

func TestConfigOfTheDefaults(t *testing.T) {
	t.Parallel()
	if _, err := config.Load[Config](nil); err != nil {
		t.Error(err)
	}
}

func TestConfigRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"HEARTBEAT=0s", "SLOTS=-1", "FETCH_ALLOW=nowhere", "FETCH_MAX_BYTES=0", "MAX_PHOTO_BYTES=0", "JOBS_ACK_WAIT=1ms", "NATS_REPLICAS=2",
		"MYSQL_ADDRESS=mysql", "S3_ENDPOINT=s3", "REDIS_ADDRESS=redis", "LOG_LEVEL=loud", "WORKER_ID=a.b",
	} {
		name, _, _ := strings.Cut(wrong, "=")
		if _, err := config.Load[Config]([]string{wrong}); err == nil {
			t.Errorf("%s was accepted", wrong)
		} else if family, _, _ := strings.Cut(name, "_"); !strings.Contains(strings.ToUpper(err.Error()), family) {
			t.Errorf("%s: %q does not name it", wrong, err)
		}
	}
}
