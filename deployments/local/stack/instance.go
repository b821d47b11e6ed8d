package stack

import (
	"fmt"
	"time"
)

// workerReadyMetric is at least 1 when a worker can work.
const workerReadyMetric = "maskfleet_worker_slots_alive"

// An instance is one front door and one worker, as on one machine of the fleet.
// The first one's parts are called "ingest" and "inference-worker", those of the
// nth carry -n.
func (s *Stack) instanceParts(n int) []plan {
	at := s.at.instances[n]
	return []plan{
		{name: instanceName("ingest", n), spec: fixed(s.ingest(at, n))},
		{name: instanceName("inference-worker", n), spec: fixed(s.worker(at, n))},
	}
}

func instanceName(part string, n int) string {
	if n == 0 {
		return part
	}
	return fmt.Sprintf("%s-%d", part, n+1)
}

// instanceID is the name of the nth instance; its worker has the same.
func instanceID(n int) string { return fmt.Sprintf("local-%d", n+1) }

func (s *Stack) ingest(at instanceAddresses, n int) spec {
	ingest := s.service("ingest", "ingest", at.ingest, at.ingestPrivate, map[string]string{
		"LISTEN":           at.ingest,
		"INSTANCE_ID":      instanceID(n),
		"PUBLIC_URL":       s.publicURL(),
		"TRUSTED_PROXIES":  "127.0.0.0/8",
		"REGISTER_ENABLED": "true",
		"FETCH_ALLOW":      s.at.outside,
		"WEBHOOK_ALLOW":    s.at.outside,
		"SMTP_ADDRESS":     s.at.smtp,
		"SMTP_TLS":         "none",
		"MAIL_FROM":        "Maskfleet <maskfleet@localhost>",
	})
	ingest.ready = httpReady("http://" + at.ingest + "/readyz")
	return ingest
}

// worker may take its whole drain time to stop, and a little more to say so.
func (s *Stack) worker(at instanceAddresses, n int) spec {
	worker := s.service("inference-worker", "worker", "", at.workerPrivate, map[string]string{
		"WORKER_ID":     instanceID(n),
		"INSTANCE_ID":   instanceID(n),
		"SLOT_PROGRAM":  s.binary("slot"),
		"FETCH_ALLOW":   s.at.outside,
		"DRAIN_TIMEOUT": "25s",
	})
	// A worker without a slot would take the first photo and let it wait.
	worker.ready = countReady("http://"+at.workerPrivate+"/metrics", workerReadyMetric)
	worker.stopLimit = 30 * time.Second
	return worker
}
