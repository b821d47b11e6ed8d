package samples

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed package.json
var packageFile []byte

// shipped is where the npm package keeps its photos.
const shipped = "node_modules/@vladmandic/face-api/demo"

// fetch installs the npm package into work and gives the folder of its photos. npm
// checks that they are, byte for byte, those of package-lock.json; no script of the
// package runs.
func fetch(ctx context.Context, work string) (string, error) {
	for name, content := range map[string][]byte{"package.json": packageFile, "package-lock.json": lockFile} {
		if err := os.WriteFile(filepath.Join(work, name), content, 0o644); err != nil {
			return "", fmt.Errorf("preparing npm: %w", err)
		}
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = work
	if said, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetching the sample photos with npm: %w\n%s", err, said)
	}
	return filepath.Join(work, shipped), nil
}
