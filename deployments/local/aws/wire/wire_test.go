package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

type inner struct {
	Key   string
	Count int
}

type embedded struct {
	Shared string
}

type input struct {
	embedded
	Name   string  `wire:"TheName"`
	Items  []inner `wire:"Item"`
	Yes    *bool
	Nested *inner
	At     time.Time
	Rate   float64
}

func form(pairs ...string) *node {
	values := make(url.Values)
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return formTree(values)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	yes := true
	at := time.Date(2026, 11, 28, 5, 0, 0, 0, time.UTC)
	packed, err := cborTree(cbor.Encode(cbor.Map{
		"TheName": cbor.String("n"), "Rate": cbor.Float64(1.5), "Yes": cbor.Bool(true), "Shared": cbor.String("s"),
		"At":   &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.Unix()))},
		"Item": cbor.List{cbor.Map{"Key": cbor.String("a"), "Count": cbor.NegInt(2)}, cbor.Map{"Key": cbor.String("b")}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	all := input{embedded{"s"}, "n", []inner{{"a", -2}, {"b", 0}}, &yes, nil, at, 1.5}
	for name, c := range map[string]struct {
		tree *node
		want input
	}{
		"nothing":        {form(), input{}},
		"EC2's list":     {form("Item.2.Key", "b", "Item.1.Key", "a"), input{Items: []inner{{Key: "a"}, {Key: "b"}}}},
		"others' list":   {form("Item.member.1.Key", "a", "Item.member.2.Key", "b"), input{Items: []inner{{Key: "a"}, {Key: "b"}}}},
		"ten come last":  {form("Item.10.Key", "b", "Item.9.Key", "a"), input{Items: []inner{{Key: "a"}, {Key: "b"}}}},
		"a structure":    {form("Nested.Count", "3"), input{Nested: &inner{Count: 3}}},
		"a time":         {form("At", "2026-11-28T05:00:00Z"), input{At: at}},
		"a time's parts": {form("At", "2026-11-28T06:00:00.000+01:00"), input{At: at}},
		"CBOR":           {packed, all},
	} {
		t.Run(name, func(t *testing.T) {
			var got input
			if err := decode(c.tree, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(input{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tree    *node
		want    string
		unknown bool
	}{
		"what nobody knows":           {form("Other", "1"), "Other", true},
		"what nobody knows in a list": {form("Item.1.Other", "1"), "Item.1.Other", true},
		"a list's name without one":   {form("Item.first.Key", "1"), "Item.first", true},
		"parts of a text":             {form("TheName.1", "1"), "TheName.1", true},
		"a number that is none":       {form("Nested.Count", "many"), "Nested.Count", false},
		"one of more than 32 bits":    {form("Nested.Count", "3000000000"), "Nested.Count", false},
		"a truth that is none":        {form("Yes", "maybe"), "Yes", false},
		"a time that is none":         {form("At", "yesterday"), "At", false},
		"a text for a structure":      {form("Nested", "1"), "Nested", false},
	} {
		t.Run(name, func(t *testing.T) {
			var got input
			var wrong *parameterError
			if err := decode(c.tree, &got); !errors.As(err, &wrong) || wrong.name != c.want || wrong.unknown != c.unknown {
				t.Errorf("got %v, want that %s is wrong (unknown: %v)", err, c.want, c.unknown)
			}
		})
	}
}

// TestSignatureOfAWSsExample is the first of the examples that AWS publishes of its
// signatures, "get-vanilla".
func TestSignatureOfAWSsExample(t *testing.T) {
	t.Parallel()
	request := httptest.NewRequest(http.MethodGet, "http://example.amazonaws.com/", http.NoBody)
	request.Header.Set("X-Amz-Date", "20150830T123600Z")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
	c, ok := readCredentials(request)
	if !ok {
		t.Fatal("the request is taken for one without a signature")
	}
	key := Key{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	now := time.Date(2015, 8, 30, 12, 40, 0, 0, time.UTC)
	if err := c.verify(request, nil, key, now, Query); err != nil {
		t.Errorf("the signature is refused: %v", err)
	}
	for name, refused := range map[string]*Error{
		"another body":    c.verify(request, []byte("x"), key, now, Query),
		"another secret":  c.verify(request, nil, Key{SecretKey: "x"}, now, Query),
		"a token, unsent": c.verify(request, nil, Key{SecretKey: key.SecretKey, Token: "x"}, now, Query),
		"an hour later":   c.verify(request, nil, key, now.Add(time.Hour), Query),
		"the next day":    c.verify(request, nil, key, now.Add(24*time.Hour), Query),
	} {
		if refused == nil {
			t.Errorf("%s: the signature is taken", name)
		}
	}
	if err := c.verify(request, nil, key, now.Add(time.Hour), EC2); err == nil || err.Code != "RequestExpired" {
		t.Errorf("EC2 says %v of a request that is an hour old", err)
	}
}

type output struct {
	Numbers []int     `wire:"numberSet"`
	Things  []inner   `wire:"thingSet"`
	Text    string    `wire:"text"`
	Absent  string    `wire:"absent"`
	None    *inner    `wire:"none"`
	Zero    int       `wire:"zero"`
	At      time.Time `wire:"at"`
}

// open lets all through.
type open struct{}

func (open) Before(Call) error     { return nil }
func (open) LosesAnswer(Call) bool { return false }

// serve answers one request, signed here as a client would.
func serve(t *testing.T, service Service, path, contentEncoding string, body []byte) (int, string) {
	t.Helper()
	return serveTo(t, service, path, "", contentEncoding, body)
}

// serveTo does so for one that a header addresses.
func serveTo(t *testing.T, service Service, path, target, contentEncoding string, body []byte) (int, string) {
	t.Helper()
	key := Key{AccessKey: "AKID", SecretKey: "secret"}
	server := httptest.NewServer(&Server{Services: []Service{service}, Keys: []Key{key}, Gate: open{}, Log: slog.New(slog.DiscardHandler)})
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	request.Host = "localhost"
	request.Header.Set("X-Amz-Date", now.Format(isoLayout))
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
		request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	}
	if contentEncoding != "" {
		request.Header.Set("Content-Encoding", contentEncoding)
	}
	c := credentials{scope: scope{"AKID", now.Format(dayLayout), "here", service.Name}, signed: []string{"host", "x-amz-date"}}
	request.Header.Set("Authorization", algorithm+" Credential=AKID/"+c.day+"/here/"+c.service+"/aws4_request, SignedHeaders=host;x-amz-date, Signature="+c.sign(request, body, key.SecretKey))
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func testService(d Dialect) Service {
	return Service{
		Name: "test", Model: "test", Namespace: "http://test/", Dialect: d, Target: "TestService",
		Operations: []Operation{Reading("Tell", func(_ context.Context, in inner) (output, error) {
			if in.Key == "wrong" {
				return output{}, &Error{Code: "Wrong", Message: "a < b", Shape: "WrongException"}
			}
			return output{Numbers: []int{1, 2}, Things: []inner{}, Text: in.Key + "&", At: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)}, nil
		})},
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	fields := func(item string) string {
		return "<numberSet><" + item + ">1</" + item + "><" + item + ">2</" + item + "></numberSet><thingSet></thingSet><text>k&amp;</text><zero>0</zero><at>2026-01-02T03:04:05.006Z</at>"
	}
	for name, c := range map[string]struct {
		dialect Dialect
		body    string
		status  int
		want    []string
	}{
		"EC2's":           {EC2, "Action=Tell&Version=1&Key=k", 200, []string{`<TellResponse xmlns="http://test/"><requestId>`, "</requestId>" + fields("item") + "</TellResponse>"}},
		"others'":         {Query, "Action=Tell&Version=1&Key=k", 200, []string{`<TellResponse xmlns="http://test/"><TellResult>` + fields("member") + "</TellResult><ResponseMetadata><RequestId>", "</RequestId></ResponseMetadata></TellResponse>"}},
		"EC2's error":     {EC2, "Action=Tell&Key=wrong", 400, []string{"<Response><Errors><Error><Code>Wrong</Code><Message>a &lt; b</Message></Error></Errors><RequestID>", "</RequestID></Response>"}},
		"others' error":   {Query, "Action=Tell&Key=wrong", 400, []string{`<ErrorResponse xmlns="http://test/"><Error><Type>Sender</Type><Code>Wrong</Code><Message>a &lt; b</Message></Error><RequestId>`}},
		"unknown action":  {EC2, "Action=Other", 400, []string{"<Code>InvalidAction</Code>"}},
		"unknown at EC2":  {EC2, "Action=Tell&Other=1", 400, []string{"<Code>UnknownParameter</Code>"}},
		"unknown, others": {Query, "Action=Tell&Other=1", 400, []string{"<Code>ValidationError</Code>"}},
		"no form":         {EC2, "Action=Tell&%zz", 400, []string{"<Code>MalformedQueryString</Code>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got := serve(t, testService(c.dialect), "/", "", []byte(c.body))
			if status != c.status {
				t.Errorf("the status is %d, want %d", status, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// TestJSON is how some versions of the aws command speak to CloudWatch.
func TestJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target, body string
		status       int
		want         string
	}{
		"an answer":       {"TestService.Tell", `{"Key":"k","Count":null}`, 200, `{"at":1767323045.006,"numberSet":[1,2],"text":"k\u0026","thingSet":[],"zero":0}`},
		"an error":        {"TestService.Tell", `{"Key":"wrong"}`, 400, `{"__type":"com.amazonaws.test#WrongException","message":"a \u003c b"}`},
		"nonsense":        {"TestService.Tell", `{"Key"`, 400, "MalformedQueryString"},
		"no object":       {"TestService.Tell", `[1]`, 400, "MalformedQueryString"},
		"another's name":  {"Other.Tell", `{}`, 400, "InvalidAction"},
		"unknown action":  {"TestService.Other", `{}`, 400, "InvalidAction"},
		"unknown, others": {"TestService.Tell", `{"Other":1}`, 400, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got := serveTo(t, testService(Query), "/", c.target, "", []byte(c.body))
			if status != c.status || !strings.Contains(got, c.want) {
				t.Errorf("%d, %s, want %d, %s", status, got, c.status, c.want)
			}
		})
	}
}

func TestCBOR(t *testing.T) {
	t.Parallel()
	ask := func(key string) []byte { return cbor.Encode(cbor.Map{"Key": cbor.String(key)}) }
	pack := func(body []byte) []byte {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(body) // into memory
		_ = w.Close()
		return packed.Bytes()
	}
	const path = "/service/TestService/operation/Tell"
	for name, c := range map[string]struct {
		encoding string
		body     []byte
	}{"plain": {"", ask("k")}, "packed": {"gzip", pack(ask("k"))}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got := serve(t, testService(Query), path, c.encoding, c.body)
			value, err := cbor.Decode([]byte(got))
			if err != nil || status != http.StatusOK {
				t.Fatalf("%d, %v", status, err)
			}
			if text := value.(cbor.Map)["text"]; text != cbor.String("k&") {
				t.Errorf("the text is %v", text)
			}
		})
	}
	t.Run("an error has its shape's name", func(t *testing.T) {
		t.Parallel()
		status, got := serve(t, testService(Query), path, "", ask("wrong"))
		value, err := cbor.Decode([]byte(got))
		if err != nil || status != http.StatusBadRequest || value.(cbor.Map)["__type"] != cbor.String("com.amazonaws.test#WrongException") {
			t.Errorf("%d, %v, %v", status, value, err)
		}
	})
	for name, c := range map[string]struct {
		path, encoding string
		body           []byte
	}{
		"nonsense":           {path, "", []byte("\xff\xff")},
		"nonsense, packed":   {path, "gzip", []byte("no")},
		"an unknown packing": {path, "zip", ask("k")},
		"another's name":     {"/service/Other/operation/Tell", "", ask("k")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if status, got := serve(t, testService(Query), c.path, c.encoding, c.body); status != http.StatusBadRequest {
				t.Errorf("answers %d %q, want 400", status, got)
			}
		})
	}
}

// TestLoggedTimesAreMilliseconds, as everywhere else in the logs.
func TestLoggedTimesAreMilliseconds(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	server := &Server{Log: slog.New(slog.NewTextHandler(&out, nil))}
	server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", http.NoBody))
	if text := out.String(); !strings.Contains(text, " duration_ms=") {
		t.Errorf("logged %q, want duration_ms in it", text)
	}
}
