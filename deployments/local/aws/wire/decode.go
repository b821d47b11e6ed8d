package wire

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// parameterError says which parameter cannot be what it was given as.
type parameterError struct {
	name, text string
	unknown    bool
}

func (e *parameterError) Error() string {
	if e.unknown {
		return fmt.Sprintf("The parameter %s is not recognized", e.name)
	}
	return fmt.Sprintf("Value (%s) for parameter %s is invalid", e.text, e.name)
}

// decode fills the structure that to points at, by the names of its fields.
func decode(n *node, to any) error { return fill(n, reflect.ValueOf(to).Elem(), "") }

func fill(n *node, to reflect.Value, name string) error {
	if to.Type() == reflect.TypeFor[time.Time]() {
		at, err := parseTime(n.text)
		if err != nil {
			return &parameterError{name: name, text: n.text}
		}
		to.Set(reflect.ValueOf(at))
		return nil
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return fill(n, to.Elem(), name)
	case reflect.Struct:
		return fillStruct(n, to, name)
	case reflect.Slice:
		return fillSlice(n, to, name)
	default:
		return fillScalar(n, to, name)
	}
}

func fillStruct(n *node, to reflect.Value, name string) error {
	if n.text != "" && len(n.parts) == 0 {
		return &parameterError{name: name, text: n.text}
	}
	fields := maps.Collect(fieldsOf(to))
	for _, part := range slices.Sorted(maps.Keys(n.parts)) {
		field, known := fields[part]
		if !known {
			return &parameterError{name: join(name, part), unknown: true}
		}
		if err := fill(n.parts[part], field, join(name, part)); err != nil {
			return err
		}
	}
	return nil
}

// fillSlice takes Name.1 as well as Name.member.1, and the items in the order of
// their numbers.
func fillSlice(n *node, to reflect.Value, name string) error {
	if member := n.parts["member"]; member != nil {
		n, name = member, join(name, "member")
	}
	numbers := make([]int, 0, len(n.parts))
	for part := range n.parts {
		number, err := strconv.Atoi(part)
		if err != nil {
			return &parameterError{name: join(name, part), unknown: true}
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		part := strconv.Itoa(number)
		item := reflect.New(to.Type().Elem()).Elem()
		if err := fill(n.parts[part], item, join(name, part)); err != nil {
			return err
		}
		to.Set(reflect.Append(to, item))
	}
	return nil
}

func fillScalar(n *node, to reflect.Value, name string) error {
	wrong := &parameterError{name: name, text: n.text}
	if len(n.parts) > 0 {
		return &parameterError{name: join(name, slices.Sorted(maps.Keys(n.parts))[0]), unknown: true}
	}
	switch to.Kind() {
	case reflect.String:
		to.SetString(n.text)
	case reflect.Bool:
		value, err := strconv.ParseBool(n.text)
		if err != nil {
			return wrong
		}
		to.SetBool(value)
	case reflect.Int, reflect.Int32, reflect.Int64:
		value, err := strconv.ParseInt(n.text, 10, 64)
		if err != nil || to.Kind() == reflect.Int && int64(int32(value)) != value { // an integer of AWS has 32 bits
			return wrong
		}
		to.SetInt(value)
	case reflect.Float64:
		value, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			return wrong
		}
		to.SetFloat(value)
	default:
		return fmt.Errorf("parameter %s: the stand-in cannot fill a %s", name, to.Type())
	}
	return nil
}

// parseTime takes the text of a form and the seconds of CBOR.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, part := math.Modf(seconds)
		return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("reading the time %q", text)
}

// fieldsOf gives the fields of a structure by their names on the wire, those of
// embedded structures as its own.
func fieldsOf(v reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for field, value := range v.Fields() {
			if !field.Anonymous {
				if !yield(nameOf(field), value) {
					return
				}
				continue
			}
			for name, inner := range fieldsOf(value) {
				if !yield(name, inner) {
					return
				}
			}
		}
	}
}

// Fields gives the types of a structure's fields by their names on the wire, so that
// a test can compare them with AWS's.
func Fields(of reflect.Type) iter.Seq2[string, reflect.Type] {
	return func(yield func(string, reflect.Type) bool) {
		for name, value := range fieldsOf(reflect.New(of).Elem()) {
			if !yield(name, value.Type()) {
				return
			}
		}
	}
}

// nameOf is a field's name on the wire: its tag, or its own name.
func nameOf(field reflect.StructField) string {
	if name := field.Tag.Get("wire"); name != "" {
		return name
	}
	return field.Name
}

func join(name, part string) string {
	if name == "" {
		return part
	}
	return name + "." + part
}
