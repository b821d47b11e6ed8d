package jobqueue_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// BenchmarkRoundTrip publishes, fetches and acknowledges one photo at a time, by
// turns through the package and by a bare loop on the client library that does the
// same on the same broker, and reports how much the package costs beside it.
func BenchmarkRoundTrip(b *testing.B) {
	s := start(b)
	bare := newBareLoop(b, s)
	var ours, theirs time.Duration
	for b.Loop() {
		m, n := newMessage(b, job.LaneBatch), newMessage(b, job.LaneCanary)
		began := time.Now()
		s.publish(b, m)
		d, err := s.FetchWait(b.Context(), job.LaneBatch, soon)
		if err != nil || d == nil {
			b.Fatal(d, err)
		}
		ack(b, d)
		between := time.Now()
		bare.roundTrip(b, n)
		ours += between.Sub(began)
		theirs += time.Since(between)
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs/package")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N), "µs/bare")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}

type bareLoop struct {
	js       jetstream.JetStream
	consumer jetstream.Consumer
}

func newBareLoop(b *testing.B, s broker) bareLoop {
	b.Helper()
	js := s.jetStream(b)
	consumer, err := js.Consumer(b.Context(), jobqueue.StreamJobs, jobqueue.ConsumerOf(job.LaneCanary))
	if err != nil {
		b.Fatal(err)
	}
	return bareLoop{js: js, consumer: consumer}
}

func (l bareLoop) roundTrip(b *testing.B, m job.Message) {
	b.Helper()
	data, err := m.Encode()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), soon)
	defer cancel()
	_, err = l.js.Publish(ctx, jobqueue.JobSubject(m.Lane, m.PhotoID), data,
		jetstream.WithMsgID(m.DedupID()), jetstream.WithExpectLastSequencePerSubject(0))
	if err != nil {
		b.Fatal(err)
	}
	batch, err := l.consumer.Fetch(1, jetstream.FetchMaxWait(soon))
	if err != nil {
		b.Fatal(err)
	}
	msg := <-batch.Messages()
	if msg == nil {
		b.Fatal("nothing came", batch.Error())
	}
	if _, err := job.DecodeMessage(msg.Data()); err != nil {
		b.Fatal(err)
	}
	if err := msg.DoubleAck(ctx); err != nil {
		b.Fatal(err)
	}
}
