package ingest

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"maskfleet/pkg/problem"
)

// contract is the OpenAPI document as tests use it: a member of an answer that it does
// not know is a mistake.
type contract struct {
	doc   *openapi3.T
	paths map[string]*regexp.Regexp // by template
}

func loadContract() (*contract, error) {
	var tree any
	if err := json.Unmarshal(openAPI, &tree); err != nil {
		return nil, err
	}
	closeObjects(tree)
	strict, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(strict)
	if err != nil {
		return nil, err
	}
	c := &contract{doc: doc, paths: map[string]*regexp.Regexp{}}
	for path := range doc.Paths.Map() {
		c.paths[path] = regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")
	}
	return c, nil
}

// closeObjects forbids members that a schema does not name. (Clients must ignore them,
// so the document itself does not.)
func closeObjects(tree any) {
	switch node := tree.(type) {
	case map[string]any:
		for _, child := range node {
			closeObjects(child)
		}
		_, named := node["properties"].(map[string]any)
		if _, said := node["additionalProperties"]; named && !said {
			node["additionalProperties"] = false
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

// theContract is loaded once for all tests.
var theContract = sync.OnceValues(loadContract) //nolint:gochecknoglobals // of tests

// holds checks an answer of any test against the document.
func (c *contract) holds(t testing.TB, method, address string, a answer) {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		return // it was meant to be none
	}
	operation := c.operation(method, at.Path)
	if operation == nil || a.status == http.StatusMethodNotAllowed {
		return
	}
	described := operation.Responses.Value(strconv.Itoa(a.status))
	if described == nil {
		described = operation.Responses.Default()
	}
	if described == nil {
		t.Errorf("openapi.json does not know that %s %s can be answered %d: %s", method, at.Path, a.status, a.body)
		return
	}
	if len(a.body) == 0 {
		return
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	content := described.Value.Content[kind]
	if content == nil {
		t.Errorf("openapi.json does not know that %s %s can be answered %d with %q", method, at.Path, a.status, kind)
		return
	}
	schema, lines := content.Schema, [][]byte{a.body}
	switch kind {
	case "application/json", problem.ContentType:
	case ndjson:
		if a.header.Get("Content-Encoding") != "" {
			return
		}
		schema, lines = c.doc.Components.Schemas["Detection"], bytes.Split(bytes.TrimSpace(a.body), []byte("\n"))
	default:
		return
	}
	for _, line := range lines {
		if len(line) == 0 {
			continue
		}
		var value any
		if err := json.Unmarshal(line, &value); err != nil {
			t.Errorf("%s %s: %v", method, at.Path, err)
			continue
		}
		if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
			t.Errorf("%s %s is answered %d %s, which openapi.json does not describe: %v", method, at.Path, a.status, line, err)
		}
	}
}

func (c *contract) operation(method, path string) *openapi3.Operation {
	if item := c.doc.Paths.Value(path); item != nil {
		return item.GetOperation(method)
	}
	for template, pattern := range c.paths {
		if pattern.MatchString(path) {
			return c.doc.Paths.Value(template).GetOperation(method)
		}
	}
	return nil
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	refs := regexp.MustCompile(`"#/components/(\w+)/([\w-]+)"`)
	used := map[string]bool{}
	for _, found := range refs.FindAllSubmatch(openAPI, -1) {
		used[string(found[1])+"/"+string(found[2])] = true
	}
	for name := range doc.Components.Schemas {
		if !used["schemas/"+name] {
			t.Errorf("nothing is a %s", name)
		}
	}
}

func TestOpenAPIKnowsEveryRoute(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	routed := map[string]bool{}
	parameter := regexp.MustCompile(`:([a-z]+)`)
	for _, route := range d.app.GetRoutes(true) {
		ours := under(route.Path, apiRoot) || under(route.Path, ancestorRoot) || route.Path == "/healthz" || route.Path == "/readyz"
		if !ours || route.Method == http.MethodHead {
			continue
		}
		path := parameter.ReplaceAllString(route.Path, "{$1}")
		routed[route.Method+" "+path] = true
		if item := c.doc.Paths.Value(path); item == nil || item.GetOperation(route.Method) == nil {
			t.Errorf("openapi.json does not know %s %s", route.Method, path)
		}
	}
	for path, item := range c.doc.Paths.Map() {
		for method := range item.Operations() {
			if !routed[method+" "+path] {
				t.Errorf("openapi.json knows %s %s, which is not there", method, path)
			}
		}
	}
}

func TestOpenAPIKnowsEveryScope(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]person{"read": d.keyWith(t, d.ann, "read"), "write": d.keyWith(t, d.ann, "write")}
	other := map[string]string{"read": "write", "write": "read"}
	for path, item := range c.doc.Paths.Map() {
		if !under(path, apiRoot) || path == openAPIPath {
			continue
		}
		for method, operation := range item.Operations() {
			scope, _ := operation.Extensions["x-scope"].(string)
			if !slices.Contains([]string{"read", "write"}, scope) {
				t.Errorf("%s %s has the scope %q", method, path, scope)
				continue
			}
			address := strings.NewReplacer("{id}", sampleID().String(), "{delivery}", sampleID().String()).Replace(path)
			if a := d.ask(t, keys[other[scope]], method, address, nil, nil); a.status != http.StatusForbidden {
				t.Errorf("%s %s is answered %d without the scope %s", method, path, a.status, scope)
			}
			if a := d.ask(t, keys[scope], method, address, nil, nil); a.status == http.StatusForbidden {
				t.Errorf("%s %s is forbidden with the scope %s", method, path, scope)
			}
		}
	}
}

func TestAPIPageAndDocument(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	a := d.ask(t, person{}, http.MethodGet, openAPIPath, nil, nil)
	if a.status != 200 || !bytes.Equal(a.body, openAPI) {
		t.Errorf("got %d and %d bytes", a.status, len(a.body))
	}
	if again := d.ask(t, person{}, http.MethodGet, openAPIPath, nil, map[string]string{"If-None-Match": a.header.Get("ETag")}); again.status != 304 {
		t.Errorf("with its ETag it is answered %d", again.status)
	}
	page := d.ask(t, person{}, http.MethodGet, "/docs/api", nil, nil)
	for _, wanted := range []string{"<h1>HTTP API</h1>", `id="createBatch"`, `href="#schema-Detection"`, "POST /v1/batches/{id}/cancel", "Idempotency-Key", "estimated_done_at"} {
		if page.status != 200 || !strings.Contains(string(page.body), wanted) {
			t.Errorf("the page (%d) does not hold %s", page.status, wanted)
		}
	}
	links := regexp.MustCompile(`href="#([^"]+)"`)
	for _, link := range links.FindAllStringSubmatch(string(page.body), -1) {
		if !strings.Contains(string(page.body), `id="`+link[1]+`"`) {
			t.Errorf("a link leads to #%s, which is not there", link[1])
		}
	}
}
