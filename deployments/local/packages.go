package main

import (
	"context"
	_ "embed" // the install script
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

//go:embed install.sh
var installScript string

// debianPackage is one that must be installed, and why.
type debianPackage struct {
	name string
	why  string
}

// runtimePackages are for building and running the product on one machine.
func runtimePackages() []debianPackage {
	const vision = "the detector's program is compiled against OpenCV"
	return []debianPackage{
		{"g++", vision},
		{"pkg-config", vision},
		{"libopencv-dev", vision},
		{"libopencv-contrib-dev", vision},
		{"mariadb-server-core", "the database"},
		{"mariadb-client-core", "the database"},
		{"redis-server", "the cache"},
		{"haproxy", "the load balancer"},
	}
}

// testPackages are for the tests only.
func testPackages() []debianPackage {
	const models = "tests hold the stand-in for AWS against AWS's own models and command"
	return []debianPackage{
		{"chromium-headless-shell", "tests look at the pages in a browser"},
		{"awscli", models},
		{"python3-botocore", models},
	}
}

// lookForPackages gives those of wanted that are missing and says why they are wanted.
// Without the right to install them, it is a missingError with the command to type.
func lookForPackages(ctx context.Context, s steps, wanted []debianPackage) ([]debianPackage, error) {
	installed, err := installedPackages(ctx, wanted)
	if err != nil {
		return nil, err
	}
	missing := missingPackages(wanted, installed)
	if len(missing) == 0 {
		return nil, nil
	}
	if _, err := rootShell(ctx); err != nil {
		return nil, &missingError{howToInstall(missing)}
	}
	s.line("These Debian packages are missing and are installed once; none of their services will start:")
	s.line("%s", reasons(missing))
	return missing, nil
}

func installPackages(ctx context.Context, log io.Writer, missing []debianPackage) error {
	shell, err := rootShell(ctx)
	if err != nil {
		return err
	}
	args := append(shell[1:], "-c", installScript, "install")
	return runLogged(ctx, log, exec.CommandContext(ctx, shell[0], append(args, names(missing)...)...))
}

// installedPackages asks dpkg, whose exit status is 1 if it does not know one.
func installedPackages(ctx context.Context, wanted []debianPackage) ([]string, error) {
	args := append([]string{"-W", "-f", "${Package} ${db:Status-Status}\n"}, names(wanted)...)
	output, err := exec.CommandContext(ctx, "dpkg-query", args...).Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		return nil, &missingError{"This launcher knows Debian and Ubuntu only: dpkg-query was not found.\nNeeded here:\n" + reasons(wanted)}
	}
	return parseInstalled(string(output)), nil
}

// parseInstalled reads lines "name status". A package that was removed still has
// a line, with another status.
func parseInstalled(output string) []string {
	var installed []string
	for line := range strings.Lines(output) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[1] == "installed" {
			installed = append(installed, fields[0])
		}
	}
	return installed
}

func missingPackages(wanted []debianPackage, installed []string) []debianPackage {
	var missing []debianPackage
	for _, p := range wanted {
		if !slices.Contains(installed, p.name) {
			missing = append(missing, p)
		}
	}
	return missing
}

// rootShell is the command that runs a shell as root without asking anything.
func rootShell(ctx context.Context) ([]string, error) {
	if os.Getuid() == 0 {
		return []string{"sh"}, nil
	}
	if err := exec.CommandContext(ctx, "sudo", "-n", "true").Run(); err != nil {
		return nil, fmt.Errorf("not root, and no sudo without a password: %w", err)
	}
	return []string{"sudo", "-n", "sh"}, nil
}

func howToInstall(missing []debianPackage) string {
	return "Some Debian packages are missing:\n" + reasons(missing) +
		"\nPlease install them, then try again:\n\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends " +
		strings.Join(names(missing), " ")
}

// reasons lists packages with the same reason on one line.
func reasons(packages []debianPackage) string {
	var order []string
	byReason := make(map[string][]string)
	for _, p := range packages {
		if byReason[p.why] == nil {
			order = append(order, p.why)
		}
		byReason[p.why] = append(byReason[p.why], p.name)
	}
	var lines []string
	for _, why := range order {
		lines = append(lines, fmt.Sprintf("  %s: %s", strings.Join(byReason[why], ", "), why))
	}
	return strings.Join(lines, "\n")
}

func names(packages []debianPackage) []string {
	var names []string
	for _, p := range packages {
		names = append(names, p.name)
	}
	return names
}
