package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissingPackages(t *testing.T) {
	t.Parallel()
	wanted := []debianPackage{{"haproxy", "the balancer"}, {"redis-server", "the cache"}, {"g++", "OpenCV"}}
	cases := map[string]struct {
		dpkg string
		want []string
	}{
		"nothing known":          {"", []string{"haproxy", "redis-server", "g++"}},
		"all installed":          {"haproxy installed\nredis-server installed\ng++ installed\n", nil},
		"one missing":            {"haproxy installed\ng++ installed\n", []string{"redis-server"}},
		"removed, settings kept": {"haproxy config-files\nredis-server installed\ng++ installed\n", []string{"haproxy"}},
		"installed half":         {"haproxy half-installed\nredis-server not-installed\ng++ installed\n", []string{"haproxy", "redis-server"}},
		"of two architectures":   {"haproxy installed\nhaproxy installed\nredis-server installed\ng++ installed\n", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := names(missingPackages(wanted, parseInstalled(c.dpkg)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHowToInstallIsOneCommandWithReasons(t *testing.T) {
	t.Parallel()
	got := howToInstall([]debianPackage{{"a", "the cache"}, {"b", "the cache"}, {"c", "the balancer"}})
	for _, want := range []string{"  a, b: the cache\n", "  c: the balancer\n", "--no-install-recommends a b c"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestInstalledPackagesAsksDpkg(t *testing.T) {
	t.Parallel()
	got, err := installedPackages(t.Context(), []debianPackage{{"dpkg", ""}, {"maskfleet-no-such-package", ""}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"dpkg"}, got); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
}
