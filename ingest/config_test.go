package ingest

import (
	"net/http"
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
	for _, wrong := range []string{"LISTEN=", "QUEUE_LIMIT=0", "UPLOAD_WAIT=0s", "LOG_LEVEL=loud", "TRUSTED_PROXIES=everybody", "REDIS_ADDRESS=redis", "MAX_PHOTO_BYTES=0", "PUBLISHER_INTERVAL=0s", "PUBLISHER_BATCH_SIZE=0",
		"EXPANDER_AT_ONCE=0", "QUOTA_UPLOADS=0", "UPLOAD_BYTES_IN_FLIGHT=209715200", "MAX_PHOTO_BYTES=268435456"} {
		if _, err := config.Load[Config]([]string{"LISTEN=127.0.0.1:8081", "S3_ENDPOINT=http://127.0.0.1:7070", wrong}); err == nil {
			t.Errorf("%s was accepted", wrong)
		}
	}
}

// TestLargestJSONBatchFits: with the least memory that is accepted, a JSON body of the
// most bytes is taken in.
func TestLargestJSONBatchFits(t *testing.T) {
	t.Parallel()
	const most = 4 << 20
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Photo.MaxBytes, c.Batch.MaxJSONBytes, c.Admission.UploadBytesInFlight = 1<<20, most, leastForJSON(most)
	})
	item := func(name string, bytes int) string {
		text := `{"custom_id":"` + name + `","image":{"base64":"`
		return text + strings.Repeat("A", bytes-len(text)-3) + `"}}`
	}
	const open, items = `{"items":[`, 4
	body := open
	for i := range items - 1 {
		body += item(string(rune('a'+i)), most/items-1) + ","
	}
	body += item("z", most-len(body)-2) + "]}"
	if len(body) != most {
		t.Fatalf("the body has %d bytes, want %d", len(body), most)
	}
	batchFrom(t, d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(body), jsonBody()), http.StatusAccepted)
}
