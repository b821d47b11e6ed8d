package telemetry_test

import (
	"io"
	"strings"
	"testing"

	"maskfleet/pkg/telemetry"
)

func TestTailKeepsTheLastLines(t *testing.T) {
	t.Parallel()
	tel := telemetry.New(telemetry.Config{LogLevel: "info", LogFormat: "json"}, io.Discard)
	if got := tel.Tail(10); len(got) != 0 {
		t.Errorf("before any line: %q", got)
	}
	for n := range 450 {
		tel.Log.Info("photo done", "n", n, "word", strings.Repeat("x", n*10))
	}
	tel.Log.Debug("too low a level")
	all := tel.Tail(1000)
	if len(all) != 200 || !strings.Contains(all[0], `"n":250`) || !strings.Contains(all[199], `"n":449`) {
		t.Fatalf("%d lines, from %.60q to %.60q", len(all), all[0], all[len(all)-1])
	}
	if len(all[199]) > 2048 {
		t.Errorf("a line of %d bytes is kept", len(all[199]))
	}
	if some := tel.Tail(3); len(some) != 3 || some[2] != all[199] || some[0] != all[197] {
		t.Errorf("the last three are %.60q", some)
	}
	if none := tel.Tail(-1); len(none) != 0 {
		t.Errorf("%d lines of fewer than none", len(none))
	}
}

func TestTailHidesSecrets(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		tel := telemetry.New(telemetry.Config{LogFormat: format}, io.Discard)
		tel.Log.Info("started", "settings", map[string]string{"NATS_PASSWORD": "hush", "SLOTS": "2"}, "mysql_password", "hush", "s3_secret_key", "hush")
		tel.Log.Info("asked", "url", "https://b.s3.amazonaws.com/k?X-Amz-Signature=hush&X-Amz-Date=hush", "err", `Get "nats://worker:hush@10.0.0.9:4222": refused`)
		for _, line := range tel.Tail(10) {
			if strings.Contains(line, "hush") {
				t.Errorf("%s: a secret is in %s", format, line)
			}
		}
	}
}
