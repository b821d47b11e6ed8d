package child

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
)

// TestMain runs the tests, or, started by one of them, plays the confined process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "confined" {
		playConfined()
		return
	}
	os.Exit(m.Run())
}

func playConfined() {
	answers, err := TakeOutput()
	fmt.Println("a library's chatter")
	err = errors.Join(err, LimitMemory(512<<20), Confine())
	<-time.After(time.Millisecond) // timers go on without files
	_, fileErr := os.Open("/dev/null")
	_, listenErr := net.Listen("tcp4", "127.0.0.1:0")
	_, dialErr := net.Dial("udp4", "127.0.0.1:9")
	fmt.Fprintf(answers, "confined: %v\nfile: %v\nlisten: %v\ndial: %v\n", err, fileErr, listenErr, dialErr)
}

func TestConfineForbidsFilesAndSockets(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "confined")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 4 || lines[0] != "confined: <nil>" {
		t.Fatalf("answered %q", lines)
	}
	for _, line := range lines[1:] {
		if !strings.Contains(line, "too many open files") {
			t.Errorf("%s", line)
		}
	}
	if !strings.Contains(stderr.String(), "chatter") {
		t.Errorf("what was printed did not go to standard error: %q", stderr.String())
	}
}

func TestServeAnswersUntilTheEnd(t *testing.T) {
	t.Parallel()
	var in, out bytes.Buffer
	for _, photo := range []string{"good", "bad", "odd"} {
		if err := wire.WriteRequest(&in, wire.Request{Attempt: 1, Data: []byte(photo)}); err != nil {
			t.Fatal(err)
		}
	}
	picture := []byte("\xff\xd8\xff")
	analyze := func(r wire.Request) (wire.Result, error) {
		switch string(r.Data) {
		case "good":
			return wire.Result{Width: 1, Height: 1, Annotated: picture, Thumbnail: picture}, nil
		case "bad":
			return wire.Result{}, fmt.Errorf("opening it: %w", job.Fail(job.CodeDecodeFailed, nil))
		default:
			return wire.Result{}, errors.New("out of luck")
		}
	}
	if err := Serve(&in, &out, job.Model{Name: "m", Version: "1"}, analyze); err != nil {
		t.Fatal(err)
	}
	if hello, err := wire.ReadHello(&out); err != nil || hello.Model.Name != "m" {
		t.Errorf("hello is %+v, %v", hello, err)
	}
	if _, err := wire.ReadReply(&out); err != nil {
		t.Errorf("the first answer: %v", err)
	}
	for _, want := range []job.Code{job.CodeDecodeFailed, job.CodeInternal} {
		_, err := wire.ReadReply(&out)
		var failure *job.Failure
		if !errors.As(err, &failure) || failure.Code != want {
			t.Errorf("answer is %v, want %s", err, want)
		}
	}
	if out.Len() != 0 {
		t.Errorf("%d bytes more than asked for", out.Len())
	}
}

func TestServeEndsOnACutRequest(t *testing.T) {
	t.Parallel()
	analyze := func(wire.Request) (wire.Result, error) { panic("nothing to analyse") }
	err := Serve(strings.NewReader("mskf"), io.Discard, job.Model{Name: "m", Version: "1"}, analyze)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want unexpected EOF", err)
	}
}

func TestFaultOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, want string }{
		"a fault":          {"\xff\xd8\xff\xfe\x00\x16maskfleet-fault:hang\xff\xd9", "hang"},
		"another comment":  {"\xff\xd8\xff\xfe\x00\x07hello\xff\xd9", ""},
		"length too long":  {"\xff\xd8\xff\xfe\xff\xffmaskfleet-fault:hang", ""},
		"length too short": {"\xff\xd8\xff\xfe\x00\x01maskfleet-fault:hang", ""},
		"no comment":       {"\xff\xd8\xff\xe0\x00\x16maskfleet-fault:hang", ""},
		"nothing":          {"", ""},
	} {
		if got := faultOf([]byte(c.data)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
