package ingest

import (
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/config"
)

func TestConfigFromTheEnvironment(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load[Config]([]string{
		"LISTEN=127.0.0.1:8081", "TRUSTED_PROXIES=127.0.0.0/8", "MYSQL_PASSWORD=hunter2", "S3_ENDPOINT=http://127.0.0.1:7070",
		"QUEUE_LIMIT=7", "UPLOAD_WAIT=3s", "REGISTER_ENABLED=true",
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Admission.QueueLimit != 7 || cfg.Waiting.UploadWait != 3*time.Second || !cfg.RegisterEnabled || cfg.HTTP.TrustedProxies[0] != "127.0.0.0/8" {
		t.Errorf("the settings are %+v", cfg)
	}
	if text := config.Describe(&cfg).String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "QUEUE_LIMIT=7 ") {
		t.Errorf("the settings are described as\n%s", text)
	}
}

func TestConfigRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"LISTEN=", "QUEUE_LIMIT=0", "UPLOAD_WAIT=0s", "LOG_LEVEL=loud", "TRUSTED_PROXIES=everybody", "REDIS_ADDRESS=redis", "MAX_PHOTO_BYTES=0", "PUBLISHER_INTERVAL=0s", "PUBLISHER_BATCH_SIZE=0"} {
		if _, err := config.Load[Config]([]string{"LISTEN=127.0.0.1:8081", "S3_ENDPOINT=http://127.0.0.1:7070", wrong}); err == nil {
			t.Errorf("%s was accepted", wrong)
		}
	}
}
