package httpserver

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// sendSlowly gives the reader of a body of which so much comes so often.
func sendSlowly(t *testing.T, piece int, every time.Duration) *patientReader {
	client, server := net.Pipe()
	go func() { // ends with the connection
		defer func() { _ = client.Close() }()
		for range 200 {
			if _, err := client.Write(make([]byte, piece)); err != nil {
				return
			}
			time.Sleep(every)
		}
	}()
	t.Cleanup(func() { _ = server.Close() })
	return &patientReader{from: server, conn: server, timeout: 2 * time.Minute, bytesPerSecond: 1000}
}

func TestLongBodyMustKeepUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := io.ReadAll(sendSlowly(t, 1, time.Minute))
		if took := time.Since(begun); !errors.Is(err, os.ErrDeadlineExceeded) || took > 3*time.Minute {
			t.Errorf("a byte a minute ends as %v after %s", err, took)
		}
		const enough = 10_000_000
		if n, err := io.CopyN(io.Discard, sendSlowly(t, 100_000, 100*time.Second), enough); err != nil {
			t.Errorf("as fast as it must be it ends after %d bytes: %v", n, err)
		}
		quick := sendSlowly(t, 1, 0)
		for range 10 { // S3 is slow, not the client
			if _, err := quick.Read(make([]byte, 1)); err != nil {
				t.Errorf("read slowly it ends as %v", err)
			}
			time.Sleep(time.Hour)
		}
	})
}
