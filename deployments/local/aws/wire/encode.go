package wire

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// absent is what is not said at all: a text that is empty, a time that is zero, a
// pointer to nothing. Numbers and answers to yes or no are always said, and so is an
// empty list.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String, reflect.Pointer:
		return v.IsZero()
	default:
		return v.Type() == reflect.TypeFor[time.Time]() && v.IsZero()
	}
}

// xmlWriter writes structures as elements. Its zero value is not usable.
type xmlWriter struct {
	bytes.Buffer
	item string // the element of a list's items: "item" in EC2's dialect, "member" elsewhere
}

// fields writes what a structure says, without an element around it.
func (w *xmlWriter) fields(v reflect.Value) {
	for name, value := range fieldsOf(v) {
		if !absent(value) {
			w.element(name, value)
		}
	}
}

func (w *xmlWriter) element(name string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	fmt.Fprintf(w, "<%s>", name)
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		w.text(v.Interface().(time.Time).UTC().Format(timeLayout))
	case v.Kind() == reflect.Struct:
		w.fields(v)
	case v.Kind() == reflect.Slice:
		for _, item := range v.Seq2() {
			w.element(w.item, item)
		}
	case v.Kind() == reflect.Float64:
		w.text(strconv.FormatFloat(v.Float(), 'g', -1, 64))
	default:
		w.text(fmt.Sprint(v.Interface()))
	}
	fmt.Fprintf(w, "</%s>", name)
}

func (w *xmlWriter) text(text string) {
	_ = xml.EscapeText(w, []byte(text)) // into memory
}

// secondsOf is a time as CBOR and JSON tell it, to the millisecond.
func secondsOf(at time.Time) float64 {
	const perSecond = 1e3
	return float64(at.UnixMilli()) / perSecond
}

// jsonOf gives what encoding/json writes as the value should be written.
func jsonOf(v reflect.Value) any {
	if at, ok := reflect.TypeAssert[time.Time](v); ok {
		return secondsOf(at)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return jsonOf(v.Elem())
	case reflect.Struct:
		fields := map[string]any{}
		for name, value := range fieldsOf(v) {
			if !absent(value) {
				fields[name] = jsonOf(value)
			}
		}
		return fields
	case reflect.Slice:
		items := make([]any, 0, v.Len())
		for _, item := range v.Seq2() {
			items = append(items, jsonOf(item))
		}
		return items
	default:
		return v.Interface()
	}
}

func cborOf(v reflect.Value) cbor.Value {
	if at, ok := reflect.TypeAssert[time.Time](v); ok {
		return &cbor.Tag{ID: 1, Value: cbor.Float64(secondsOf(at))}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return cborOf(v.Elem())
	case reflect.Struct:
		fields := cbor.Map{}
		for name, value := range fieldsOf(v) {
			if !absent(value) {
				fields[name] = cborOf(value)
			}
		}
		return fields
	case reflect.Slice:
		items := make(cbor.List, 0, v.Len())
		for _, item := range v.Seq2() {
			items = append(items, cborOf(item))
		}
		return items
	case reflect.Bool:
		return cbor.Bool(v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		if v.Int() < 0 {
			return cbor.NegInt(-v.Int())
		}
		return cbor.Uint(v.Int())
	case reflect.Float64:
		return cbor.Float64(v.Float())
	default:
		return cbor.String(v.String())
	}
}
