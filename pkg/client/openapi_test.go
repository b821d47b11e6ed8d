package client_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"maskfleet/pkg/client"
)

// schema is as much of one as names what a document holds.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Ref        string            `json:"$ref"`
	OneOf      []schema          `json:"oneOf"`
}

// TestTypesHoldWhatTheAPISays: a field that the server sends and the client does not
// know is lost without a word.
func TestTypesHoldWhatTheAPISays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	w := typeWalk{t, document.Components.Schemas}
	w.walk("Deleted.deleted", document.Components.Schemas["Deleted"].Properties["deleted"], reflect.TypeOf(client.Deleted{}))
	for name, as := range map[string]any{
		"Detection": client.Detection{}, "Batch": client.Batch{}, "Limits": client.Limits{},
		"Upload": client.Upload{}, "Webhook": client.Webhook{}, "Delivery": client.Delivery{},
	} {
		w.walk(name, document.Components.Schemas[name], reflect.TypeOf(as))
	}
}

type typeWalk struct {
	t       *testing.T
	schemas map[string]schema
}

func (w typeWalk) walk(at string, s schema, as reflect.Type) {
	for as.Kind() == reflect.Pointer || as.Kind() == reflect.Slice && as.Elem().Kind() != reflect.Uint8 {
		as = as.Elem()
	}
	if s.Ref != "" {
		s = w.schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	for _, one := range s.OneOf {
		w.walk(at, one, as)
	}
	if s.Items != nil {
		w.walk(at, *s.Items, as)
	}
	if as.Kind() != reflect.Struct || as.PkgPath() == "time" {
		return // a map, or text of its own form: whatever comes has a place
	}
	fields := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(as) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field.Type
	}
	for name, property := range s.Properties {
		field, known := fields[name]
		if name == "links" && !known {
			continue // the client's methods know the addresses
		}
		if !known {
			w.t.Errorf("%s.%s has no field", at, name)
			continue
		}
		w.walk(at+"."+name, property, field)
	}
}
