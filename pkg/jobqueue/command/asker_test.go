package command_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/testenv"
)

// lies is what a message may say of itself.
func lies() map[string]nats.Header {
	admin := `{"acc":"MASKFLEET","user":"manager","kind":"Client"}`
	claim := func(h nats.Header) nats.Header {
		h["Maskfleet-Asker"], h["Maskfleet-Via"] = []string{"admin"}, []string{"page"}
		return h
	}
	return map[string]nats.Header{
		"says nothing":             nil,
		"names somebody":           claim(nats.Header{}),
		"has a mark of its own":    claim(nats.Header{"Nats-Request-Info": {admin}}),
		"has two":                  claim(nats.Header{"Nats-Request-Info": {admin, admin}}),
		"has one in small letters": claim(nats.Header{"nats-request-info": {admin}}),
	}
}

// TestAskerIsWhoseConnectionItIs: whatever a message says of itself, and only the
// manager is believed about people.
func TestAskerIsWhoseConnectionItIs(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for _, user := range []string{"operator", "manager", testenv.NATSTester} {
		nc := d.person(t, user)
		for lie, header := range lies() {
			answer := ask(t, nc, "maskfleet.jobs.paint", `{"id":"a"}`, header)
			if string(answer.Data) != `{"painted":1}` {
				t.Fatalf("%s %s: got %q %v", user, lie, answer.Data, answer.Header)
			}
			want := command.Asker{Name: user, Via: command.ViaNATS}
			if user == "manager" && header != nil {
				want = command.Asker{Name: "admin", Via: command.ViaPage}
			}
			got := d.call(t).By
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(command.Asker{}, "Host")); diff != "" || got.Host == "" {
				t.Errorf("%s %s (-want +got):\n%s", user, lie, diff)
			}
		}
	}
}

// TestOddlyWrittenMarksAreNone: the library writes no such headers, a liar may.
func TestOddlyWrittenMarksAreNone(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	const mark = `{"acc":"MASKFLEET","user":"manager","kind":"Client"}`
	liar := dialRaw(t, d.broker.As("operator"))
	for i, lines := range []string{
		"Nats-Request-Info : " + mark + "\r\n",
		"Nats-Request-Info:\t" + mark + "\r\n",
		"A: b\nNats-Request-Info: " + mark + "\r\n",
		"Nats-Request-Info: " + mark + "\r\n\r\nNats-Request-Info: " + mark + "\r\n",
		"Nats-Request-Info: x\r\nA: b\r\nNats-Request-Info: " + mark + "\r\n",
	} {
		liar.publish("maskfleet.jobs.paint", "NATS/1.0\r\n"+lines+"Maskfleet-Asker: admin\r\nMaskfleet-Via: page\r\n\r\n", `{"id":"a"}`)
		eventually(t, "heard", func() bool { return requestsOf(t, d.person(t, "operator"), "jobs-paint") > i })
		select {
		case call := <-d.calls: // else it was refused, which is as good
			if call.By.Name != "operator" {
				t.Errorf("%q: done for %+v", lines, call.By)
			}
		default:
		}
	}
}

// raw is a connection that says what it wants, in the broker's own words.
type raw struct {
	t    *testing.T
	conn net.Conn
}

func dialRaw(t *testing.T, cfg jobqueue.Config) raw {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(cfg.URL, "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { _, _ = io.Copy(io.Discard, conn) }() // ends with the connection
	_, err = fmt.Fprintf(conn, "CONNECT {\"headers\":true,\"user\":%q,\"pass\":%q}\r\n", cfg.User, cfg.Password)
	if err != nil {
		t.Fatal(err)
	}
	return raw{t, conn}
}

func (r raw) publish(subject, header, body string) {
	r.t.Helper()
	if _, err := fmt.Fprintf(r.conn, "HPUB %s _INBOX.x %d %d\r\n%s%s\r\n", subject, len(header), len(header)+len(body), header, body); err != nil {
		r.t.Fatal(err)
	}
}

// TestBrokersOwnWordsAreNoCommands: who may store a message can make the broker say it
// anywhere, with headers of the liar's choice. Then nobody asks, and nothing is done.
func TestBrokersOwnWordsAreNoCommands(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	nc := d.person(t, testenv.NATSTester)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	const subject = "maskfleet.jobs.paint"
	had := 0
	for name, header := range lies() {
		t.Logf("message that %s", name)
		stream := fmt.Sprintf("LIES%d", had)
		republish := &jetstream.RePublish{Source: stream + ".republished", Destination: subject}
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
			Name: stream, Subjects: []string{stream + ".*"}, AllowDirect: true, RePublish: republish,
		}); err != nil {
			t.Fatal(err)
		}
		for _, last := range []string{"stored", "republished"} { // the second is said at once
			if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: stream + "." + last, Header: header, Data: []byte(`{"id":"a"}`)}); err != nil {
				t.Fatal(err)
			}
		}
		// One that is delivered, and one that is the answer to a question.
		if err := createPushConsumer(nc, stream, subject); err != nil {
			t.Fatal(err)
		}
		if err := nc.PublishRequest("$JS.API.DIRECT.GET."+stream+"."+stream+".stored", subject, nil); err != nil {
			t.Fatal(err)
		}
		had += 2 // this broker's consumers deliver to no other account; another's may
		eventually(t, "both heard", func() bool { return requestsOf(t, nc, "jobs-paint") >= had })
	}
	select {
	case call := <-d.calls:
		t.Errorf("done for %+v", call.By)
	default:
	}
}

// createPushConsumer lets a stream be delivered to the subject; the library makes
// consumers that are pulled only.
func createPushConsumer(nc *nats.Conn, stream, deliver string) error {
	request, err := json.Marshal(map[string]any{
		"stream_name": stream,
		"config":      map[string]string{"deliver_subject": deliver, "ack_policy": "none", "deliver_policy": "all", "replay_policy": "instant"},
	})
	if err != nil {
		return err
	}
	_, err = nc.Request("$JS.API.CONSUMER.CREATE."+stream, request, soon)
	return err
}

// TestAnswerIsNoCommand: an asker may have the answer of one command sent to another;
// it came from the service's connection then, which is no asker.
func TestAnswerIsNoCommand(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	offer(t, d.serve(t, "manager"), command.Service{Name: "maskfleet-liar", Does: "answers with what is a request elsewhere"},
		command.Read("jobs.lie", "Lies.", struct{}{}, paint{ID: "a"}, func(context.Context, struct{}) (paint, error) { return paint{ID: "a"}, nil }))
	nc := d.person(t, "operator")
	if err := nc.PublishRequest("maskfleet.jobs.lie", "maskfleet.jobs.paint", nil); err != nil {
		t.Fatal(err)
	}
	// The answer is on its way before that of a later question to the same service.
	ask(t, nc, "maskfleet.jobs.lie", "", nil)
	ask(t, nc, "maskfleet.jobs.paint", `{"id":"a"}`, nil)
	if by := d.call(t).By; by.Name != "operator" {
		t.Errorf("done for %+v", by)
	}
	select {
	case call := <-d.calls:
		t.Errorf("done again, for %+v", call.By)
	default:
	}
}
