package ingest

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// BenchmarkPolling measures how often a finished result can be asked for, whether the
// client has it already or not, against what the same connections get of /healthz and
// of Redis itself. The goal is 5,000 a second on one core: less than 200 µs of CPU.
func BenchmarkPolling(b *testing.B) {
	st := sharedStores(b)
	d := openDoor(b, st, func(c *Config) { c.KeyGoodFor = time.Second })
	id := detectionOf(b, d.post(b, d.ann, photo(b), nil), http.StatusAccepted).ID
	d.complete(b, id)
	tag := d.ask(b, d.ann, http.MethodGet, detectionPath(id), nil, nil).header.Get("ETag")

	perSecond := map[string]float64{}
	b.Run("redis", func(b *testing.B) {
		key := "maskfleet:result:" + id.String()
		request := fmt.Appendf(nil, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
		m := newMeter(b)
		onWires(b, 8, st.redis.Address, request, (*wire).askRedis)
		perSecond["redis"] = m.stop(b.N, "request")
	})
	for _, c := range []struct {
		name, path, tag string
		status          int
	}{
		{"healthz", "/healthz", "", http.StatusOK},
		{"unchanged", detectionPath(id), tag, http.StatusNotModified},
		{"whole", detectionPath(id), "", http.StatusOK},
	} {
		b.Run(c.name, func(b *testing.B) {
			address, request := d.overWire(b, http.MethodGet, c.path, nil, map[string]string{"If-None-Match": c.tag})
			m := newMeter(b)
			onWires(b, 8, address, request, wants(c.status))
			perSecond[c.name] = m.stop(b.N, "request")
			if c.name != "healthz" {
				b.ReportMetric(perSecond[c.name]/perSecond["healthz"], "of-healthz")
				b.ReportMetric(perSecond[c.name]/perSecond["redis"], "of-redis")
			}
		})
	}
}
