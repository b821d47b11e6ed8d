package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// webFolder is a folder with a package-lock.json, whose packages are fetched and
// whose own script then copies what the product serves.
type webFolder struct {
	dir    string // below the root
	script string // run by node after the fetch
	why    string
}

func webFolders() []webFolder {
	return []webFolder{
		{dir: "pkg/webui", script: "vendor.mjs", why: "npm packages of the pages"},
	}
}

// fetchWeb runs npm where the lock file is not the one that was fetched last.
func fetchWeb(ctx context.Context, at place, s steps, log io.Writer) error {
	for _, folder := range webFolders() {
		if err := folder.fetch(ctx, at, s, log); err != nil {
			return fmt.Errorf("fetching the %s: %w", folder.why, err)
		}
	}
	return nil
}

func (f webFolder) fetch(ctx context.Context, at place, s steps, log io.Writer) error {
	dir := filepath.Join(at.root, f.dir)
	want, err := f.digest(dir)
	if err != nil {
		return err
	}
	stamp := filepath.Join(at.dir, "cache", "npm-"+strings.ReplaceAll(f.dir, "/", "-"))
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want && fetched(dir) {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return &missingError{"npm was not found: please install Node.js 20 or newer with npm, then try again."}
	}
	err = s.do("fetching", f.why, func() error {
		// Scripts of others are never run; our own is, by name.
		if err := runLogged(ctx, log, inFolder(dir, exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))); err != nil {
			return err
		}
		return runLogged(ctx, log, inFolder(dir, exec.CommandContext(ctx, "node", f.script)))
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(stamp), 0o700); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

// digest is of all that decides what is fetched and copied.
func (f webFolder) digest(dir string) (string, error) {
	sum := sha256.New()
	for _, name := range []string{"package-lock.json", f.script} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		sum.Write(data)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// fetched is false once somebody has removed what was copied.
func fetched(dir string) bool {
	copied, err := filepath.Glob(filepath.Join(dir, "vendor", "*.js"))
	return err == nil && len(copied) > 0
}

func inFolder(dir string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = dir
	return cmd
}
