package main

import (
	"context"
	"errors"
	"fmt"
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

func TestCompilingBesideAnInstallation(t *testing.T) {
	t.Parallel()
	noPackage, noProgram := errors.New("no such package"), errors.New("no such program")
	plainly := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	cases := map[string]struct {
		install, compile func(context.Context) error
		want             []error
	}{
		"both go well": {plainly(nil), plainly(nil), nil},
		"an installation that fails ends the compiling": {
			plainly(noPackage),
			func(ctx context.Context) error {
				<-ctx.Done()
				return fmt.Errorf("building: %w", context.Cause(ctx))
			},
			[]error{noPackage},
		},
		"both fail by themselves": {plainly(noPackage), plainly(noProgram), []error{noPackage, noProgram}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := beside(t.Context(), c.install, c.compile, func(installed func() error) error { return installed() })
			if (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			for _, want := range c.want {
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v among it", err, want)
				}
			}
		})
	}
}

func TestAnInstallationOutlivesACompilerThatFails(t *testing.T) {
	t.Parallel()
	noProgram := errors.New("no such program")
	failed := make(chan struct{})
	installed := false
	err := beside(t.Context(),
		func(ctx context.Context) error {
			<-failed
			installed = ctx.Err() == nil
			return ctx.Err()
		},
		func(context.Context) error { return noProgram },
		func(wait func() error) error {
			close(failed)
			return wait()
		})
	if !errors.Is(err, noProgram) || !installed {
		t.Errorf("got %v, installed %v", err, installed)
	}
}

func TestNothingIsCompiledBeforeThereIsACompiler(t *testing.T) {
	t.Parallel()
	if !compilerIsMissing([]debianPackage{{name: "haproxy"}, {name: "g++"}}) {
		t.Error("g++ is missing, and was not missed")
	}
	if compilerIsMissing([]debianPackage{{name: "haproxy"}}) {
		t.Error("g++ is there, and was missed")
	}
}
