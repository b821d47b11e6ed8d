package reserve

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Folder makes a temporary folder for a server that lives as long as this
// program. A shell that reads from a pipe of ours removes it: the pipe ends with
// this program, even one that is killed.
func Folder(kind string) (string, error) {
	dir, err := os.MkdirTemp("", "maskfleet-"+kind+"-")
	if err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", kind, err)
	}
	remover := exec.Command("/bin/sh", "-c", `read -r _; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }`, "remover", dir)
	remover.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := remover.StdinPipe(); err != nil {
		return "", fmt.Errorf("watching over %s: %w", dir, err)
	}
	if err := remover.Start(); err != nil {
		return "", fmt.Errorf("watching over %s: %w", dir, err)
	}
	// Waits as long as this program lives, and keeps the pipe from being collected.
	go func() { _ = remover.Wait() }()
	return dir, nil
}
