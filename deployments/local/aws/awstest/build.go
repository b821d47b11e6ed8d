package awstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// programs builds once for all tests of a binary.
func programs() (dir string, err error) { return built() }

var built = sync.OnceValues(build)

// build leaves to the Go tool to see that there is nothing to do. One at a time, since
// several test binaries share the folder.
func build() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".local", "cache", "awstest"+flavour)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the folder of programs: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", fmt.Errorf("building the stand-in: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("building the stand-in: %w", err)
	}
	args := []string{"build", "-C", root}
	if flavour != "" {
		args = append(args, flavour)
	}
	args = append(args, "-o", dir+"/", "./deployments/local/cmd/aws", "./deployments/local/aws/awstest/guest")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the stand-in: %w\n%s", err, out)
	}
	return dir, nil
}

// repository is the nearest folder above the test's own with a deployments/local/aws.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "deployments", "local", "aws")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("finding the repository: the test does not run in it")
		}
		dir = parent
	}
}
