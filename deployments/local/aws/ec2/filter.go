package ec2

import (
	"encoding/base64"
	"path"
	"slices"
	"strconv"
	"strings"
)

// filter wants one of its values. In them * stands for any text and ? for one letter.
type filter struct {
	Name   string
	Values []string `wire:"Value"`
}

// matchers give what a thing has under a filter's name.
type matchers[T any] map[string]func(T) []string

// filtered keeps what passes all filters. A tag's filter has the key in its name.
func filtered[T any](all []T, filters []filter, by matchers[T]) ([]T, error) {
	for _, f := range filters {
		name, key, _ := strings.Cut(f.Name, ":")
		values, known := by[f.Name]
		if tagged := by["tag:"]; name == "tag" && key != "" && tagged != nil {
			prefix := key + "="
			known, values = true, func(thing T) []string {
				var found []string
				for _, pair := range tagged(thing) {
					if value, ok := strings.CutPrefix(pair, prefix); ok {
						found = append(found, value)
					}
				}
				return found
			}
		}
		if !known {
			return nil, fail(invalidParameterValue, "The filter '%s' is invalid", f.Name)
		}
		all = slices.DeleteFunc(slices.Clone(all), func(thing T) bool { return !f.wants(values(thing)) })
	}
	return all, nil
}

func (f filter) wants(values []string) bool {
	return slices.ContainsFunc(f.Values, func(pattern string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return matches(pattern, value) })
	})
}

// matches takes a slash as any other letter, which path.Match does not.
func matches(pattern, value string) bool {
	hide := strings.NewReplacer("/", "\x00", "[", `\[`)
	matched, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && matched
}

func (e *EC2) instanceFilters() matchers[instance] {
	one := func(of func(instance) string) func(instance) []string {
		return func(i instance) []string { return []string{of(i)} }
	}
	return matchers[instance]{
		"availability-zone":   one(func(i instance) string { return i.Zone }),
		"client-token":        one(func(i instance) string { return i.ClientToken }),
		"image-id":            one(func(i instance) string { return i.Launch.ImageID }),
		"instance-id":         one(func(i instance) string { return i.ID }),
		"instance-lifecycle":  one(func(i instance) string { return marketType(i.Launch) }),
		"instance-state-code": one(func(i instance) string { return strconv.Itoa(i.State.number()) }),
		"instance-state-name": one(func(i instance) string { return string(i.State) }),
		"instance-type":       one(func(i instance) string { return i.Launch.InstanceType }),
		"instance.group-id":   one(func(instance) string { return e.group() }),
		"key-name":            one(func(i instance) string { return i.Launch.KeyName }),
		"private-ip-address":  one(func(i instance) string { return i.Address.String() }),
		"reservation-id":      one(func(i instance) string { return i.Reservation }),
		"subnet-id":           one(func(i instance) string { z, _ := e.zone(i.Zone); return z.subnet }),
		"vpc-id":              one(func(instance) string { return e.vpc() }),
		"tag:":                func(i instance) []string { return pairs(i.Tags) },
		"tag-key":             func(i instance) []string { return keys(i.Tags) },
	}
}

func pairs(tags map[string]string) []string {
	var all []string
	for key, value := range tags {
		all = append(all, key+"="+value)
	}
	return all
}

func keys(tags map[string]string) []string {
	var all []string
	for key := range tags {
		all = append(all, key)
	}
	return all
}

// The bounds of a page that may be asked for.
const (
	fewestOnPage = 5
	mostOnPage   = 1000
)

// paged cuts a list; the token says how much was given before.
func paged[T any](all []T, maxResults int, token string) (page []T, next string, err error) {
	if maxResults != 0 && (maxResults < fewestOnPage || maxResults > mostOnPage) {
		return nil, "", fail(invalidParameterValue, "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", maxResults, fewestOnPage, mostOnPage)
	}
	from := 0
	if token != "" {
		text, err := base64.StdEncoding.DecodeString(token)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return nil, "", fail(invalidParameterValue, "Unable to parse pagination token")
		}
	}
	all = all[min(from, len(all)):]
	if maxResults == 0 || len(all) <= maxResults {
		return all, "", nil
	}
	next = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(from + maxResults)))
	return all[:maxResults], next, nil
}
