package config

import (
	"fmt"
	"reflect"
	"strings"
)

const mask = "***"

// Describe prints every setting of a Config struct, or of a pointer to one, as a
// line "NAME=value" in the order of its fields. A field tagged `secret:"true"` is
// shown as *** if it is set.
func Describe(cfg any) string {
	var out strings.Builder
	describe(&out, reflect.Indirect(reflect.ValueOf(cfg)))
	return out.String()
}

func describe(out *strings.Builder, v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch {
		case name == "-":
		case name == "":
			describe(out, reflect.Indirect(value))
		case field.Tag.Get("secret") == "true" && !value.IsZero():
			fmt.Fprintf(out, "%s=%s\n", name, mask)
		default:
			fmt.Fprintf(out, "%s=%s\n", name, settingText(value))
		}
	}
}

// settingText writes lists as they are given in the environment.
func settingText(v reflect.Value) string {
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(items, ",")
}
