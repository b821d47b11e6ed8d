package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
)

const mask = "***"

// Describe gives every setting of a Config struct, or of a pointer to one, by its
// name and in the order of its fields, for a log line. A field tagged
// `secret:"true"` is shown as *** if it is set, and so is a password within a URL.
func Describe(cfg any) slog.Value {
	return slog.GroupValue(describe(reflect.Indirect(reflect.ValueOf(cfg)))...)
}

func describe(v reflect.Value) (settings []slog.Attr) {
	if v.Kind() != reflect.Struct {
		return nil
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
			settings = append(settings, describe(reflect.Indirect(value))...)
		case field.Tag.Get("secret") == "true" && !value.IsZero():
			settings = append(settings, slog.String(name, mask))
		default:
			settings = append(settings, slog.String(name, settingText(value)))
		}
	}
	return settings
}

// settingText writes a setting as it is given in the environment.
func settingText(v reflect.Value) string {
	if v.Kind() != reflect.Slice {
		return withoutPasswords(fmt.Sprint(v.Interface()))
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return withoutPasswords(strings.Join(items, ","))
}

// withoutPasswords masks who logs in, within a list of URLs.
func withoutPasswords(list string) string {
	items := strings.Split(list, ",")
	for i, item := range items {
		scheme, rest, isURL := strings.Cut(item, "://")
		if at := strings.LastIndexByte(rest, '@'); isURL && at >= 0 {
			items[i] = scheme + "://" + mask + rest[at:]
		}
	}
	return strings.Join(items, ",")
}
