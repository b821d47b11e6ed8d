package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

func sampleResult() Result {
	return Result{
		Width: 640, Height: 480,
		Faces: []job.Face{
			{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 0, YMin: 0, XMax: 640, YMax: 480}},
			{Label: job.LabelIncorrect, Confidence: 0.5, Box: job.Box{XMin: 10, YMin: 20, XMax: 30, YMax: 40}},
		},
		Annotated: []byte("\xff\xd8\xff annotated"),
		Thumbnail: []byte("\xff\xd8\xff thumbnail"),
	}
}

func TestMessagesArriveAsSent(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	hello := Hello{Model: job.Model{Name: "maskdet", Version: "1"}}
	request := Request{Attempt: 3, Data: []byte("photo")}
	for _, err := range []error{
		WriteHello(&stream, hello), WriteRequest(&stream, request), WriteRequest(&stream, Request{Attempt: 1}),
		WriteResult(&stream, sampleResult()),
		WriteFailure(&stream, job.Fail(job.CodeDecodeFailed, errors.New("cut"))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ReadHello(&stream); err != nil || got != hello {
		t.Errorf("ReadHello: %+v, %v", got, err)
	}
	got, err := ReadRequest(&stream)
	if diff := cmp.Diff(request, got); diff != "" || err != nil {
		t.Errorf("ReadRequest: %v (-want +got):\n%s", err, diff)
	}
	if got, err := ReadRequest(&stream); err != nil || len(got.Data) != 0 {
		t.Errorf("ReadRequest of an empty photo: %+v, %v", got, err)
	}
	result, err := ReadReply(&stream)
	if diff := cmp.Diff(sampleResult(), result); diff != "" || err != nil {
		t.Errorf("ReadReply: %v (-want +got):\n%s", err, diff)
	}
	_, err = ReadReply(&stream)
	var failure *job.Failure
	if !errors.As(err, &failure) || failure.Code != job.CodeDecodeFailed || failure.SlotDeath || failure.Cause.Error() != "cut" {
		t.Errorf("ReadReply of a failure: %v", err)
	}
	if _, err := ReadRequest(&stream); !errors.Is(err, io.EOF) {
		t.Errorf("ReadRequest at the end: %v, want EOF", err)
	}
	if _, err := ReadReply(&stream); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ReadReply at the end: %v, want unexpected EOF", err)
	}
}

func TestReadReplyRefusesWhatCannotBeTrue(t *testing.T) {
	t.Parallel()
	face := sampleResult().Faces[0]
	for name, change := range map[string]func(*Result){
		"no size":             func(r *Result) { r.Width = 0 },
		"a huge size":         func(r *Result) { r.Height = math.MaxInt32 },
		"too many faces":      func(r *Result) { r.Faces = make([]job.Face, MaxFaces+1) },
		"a strange label":     func(r *Result) { r.Faces[0].Label = "<script>" },
		"more than sure":      func(r *Result) { r.Faces[0].Confidence = 1.5 },
		"less than unsure":    func(r *Result) { r.Faces[0].Confidence = -0.1 },
		"box outside":         func(r *Result) { r.Faces[0].Box.XMax = 641 },
		"box inside out":      func(r *Result) { r.Faces[0].Box = job.Box{XMin: 5, YMin: 5, XMax: 5, YMax: 6} },
		"box before the edge": func(r *Result) { r.Faces[0].Box.YMin = -1 },
		"no annotated photo":  func(r *Result) { r.Annotated = nil },
		"not a thumbnail":     func(r *Result) { r.Thumbnail = []byte("<html>") },
		"annotated too large": func(r *Result) { r.Annotated = append(r.Annotated, make([]byte, MaxAnnotatedBytes)...) },
		"thumbnail too large": func(r *Result) { r.Thumbnail = append(r.Thumbnail, make([]byte, MaxThumbnailBytes)...) },
	} {
		result := sampleResult()
		result.Faces[0] = face
		change(&result)
		var stream bytes.Buffer
		if err := WriteResult(&stream, result); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadReply(&stream); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error is %v, want malformed", name, err)
		}
	}
}

func TestReadRefusesOtherFrames(t *testing.T) {
	t.Parallel()
	written := func(write func(io.Writer) error) []byte {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	result := written(func(w io.Writer) error { return WriteResult(w, sampleResult()) })
	changed := func(at int, to byte) []byte {
		data := bytes.Clone(result)
		data[at] = to
		return data
	}
	long := bytes.Clone(result)
	binary.BigEndian.PutUint32(long[10:], math.MaxUint32)
	for name, data := range map[string][]byte{
		"other magic":     changed(0, 'x'),
		"other version":   changed(4, Version+1),
		"unknown kind":    changed(5, 99),
		"a request":       written(func(w io.Writer) error { return WriteRequest(w, Request{Data: []byte("x")}) }),
		"head not JSON":   changed(headerBytes, '!'),
		"body too long":   long,
		"death by report": written(func(w io.Writer) error { return WriteFailure(w, job.Fail(job.CodeWorkerLost, nil)) }),
		"text":            []byte(strings.Repeat("hello, world. ", 9)),
	} {
		if _, err := ReadReply(bytes.NewReader(data)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error is %v, want malformed", name, err)
		}
	}
	for cut := range result {
		if _, err := ReadReply(bytes.NewReader(result[:cut])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut to %d bytes: error is %v, want unexpected EOF", cut, err)
		}
	}
	if _, err := ReadHello(bytes.NewReader(written(func(w io.Writer) error { return WriteHello(w, Hello{}) }))); !errors.Is(err, ErrMalformed) {
		t.Errorf("a hello without a model: error is %v, want malformed", err)
	}
}

func TestWriteRequestRefusesTooLarge(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteRequest(&out, Request{Data: make([]byte, MaxPhotoBytes+1)}); err == nil || out.Len() != 0 {
		t.Errorf("error is %v after %d bytes, want one before the first", err, out.Len())
	}
}

// FuzzReadReply feeds the worker what a slot gone mad may send: never a panic, and
// what passes can be true.
func FuzzReadReply(f *testing.F) {
	var result, failure bytes.Buffer
	if err := errors.Join(WriteResult(&result, sampleResult()), WriteFailure(&failure, job.Fail(job.CodeInternal, nil))); err != nil {
		f.Fatal(err)
	}
	f.Add(result.Bytes())
	f.Add(failure.Bytes())
	f.Add([]byte("mskf"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadReply(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := checkResult(got); err != nil {
			t.Errorf("read a result with %v", err)
		}
		if len(got.Annotated) > MaxAnnotatedBytes || len(got.Thumbnail) > MaxThumbnailBytes {
			t.Errorf("read pictures of %d and %d bytes", len(got.Annotated), len(got.Thumbnail))
		}
	})
}

// FuzzReadRequest feeds the slot what must never come: never a panic, and never more
// bytes than a photo may have.
func FuzzReadRequest(f *testing.F) {
	var request, hello bytes.Buffer
	if err := errors.Join(WriteRequest(&request, Request{Data: []byte("photo")}), WriteHello(&hello, Hello{Model: job.Model{Name: "m", Version: "1"}})); err != nil {
		f.Fatal(err)
	}
	f.Add(request.Bytes())
	f.Add(hello.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := ReadRequest(bytes.NewReader(data)); err == nil && len(got.Data) > min(len(data), MaxPhotoBytes) {
			t.Errorf("read %d bytes of %d", len(got.Data), len(data))
		}
		if got, err := ReadHello(bytes.NewReader(data)); err == nil && (got.Model.Name == "" || got.Model.Version == "") {
			t.Errorf("read %+v", got)
		}
	})
}
