package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildArguments(t *testing.T) {
	t.Parallel()
	at := place{root: "/repo", dir: "/repo/.local"}
	service := target{module: ".", packages: []string{"./a/cmd/a", "./b"}}
	slot := target{module: "other", packages: []string{"."}, only: true}
	cases := map[string]struct {
		target target
		as     flavour
		want   []string
	}{
		"plain":                           {service, plain, []string{"build", "-C", "/repo", "-o", "/repo/.local/bin/", "./a/cmd/a", "./b"}},
		"for tests":                       {service, race, []string{"build", "-C", "/repo", "-race", "-ldflags=-w", "-o", "/repo/.local/bin-race/", "./a/cmd/a", "./b"}},
		"one flavour only":                {slot, plain, []string{"build", "-C", "/repo/other", "-o", "/repo/.local/bin/", "."}},
		"one flavour only, for tests too": {slot, race, []string{"build", "-C", "/repo/other", "-o", "/repo/.local/bin/", "."}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.target.args(at, c.as)); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
		})
	}
}
