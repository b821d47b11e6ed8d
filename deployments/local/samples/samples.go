package samples

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed package-lock.json
var lockFile []byte

// drawing is raised whenever masks are drawn differently, so that kept ones are
// made anew.
const drawing = "1"

const jpegQuality = 92

// Ensure makes the samples in dir unless they are there already, and gives their
// paths: every photo, followed by the same photo with masks. It needs npm, and the
// npm registry where the samples are not there yet.
func Ensure(ctx context.Context, dir string) ([]string, error) {
	paths := pathsIn(dir)
	if kept(dir, paths) {
		return paths, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of the samples: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetching-samples-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for npm: %w", err)
	}
	defer os.RemoveAll(work)
	fetched, err := fetch(ctx, work)
	if err != nil {
		return nil, err
	}
	for _, p := range photos() {
		if err := p.make(fetched, dir); err != nil {
			return nil, fmt.Errorf("making the sample %s: %w", p.name, err)
		}
	}
	if err := os.WriteFile(stampPath(dir), []byte(stamp()), 0o644); err != nil {
		return nil, fmt.Errorf("marking the samples as made: %w", err)
	}
	return paths, nil
}

func pathsIn(dir string) []string {
	var paths []string
	for _, p := range photos() {
		paths = append(paths, filepath.Join(dir, p.name+".jpg"), filepath.Join(dir, p.maskedName()+".jpg"))
	}
	return paths
}

// kept says that dir holds all samples, made from the same photos in the same way.
func kept(dir string, paths []string) bool {
	made, err := os.ReadFile(stampPath(dir))
	if err != nil || string(made) != stamp() {
		return false
	}
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

func stamp() string {
	sum := sha256.Sum256(lockFile)
	return hex.EncodeToString(sum[:]) + " drawing " + drawing + "\n"
}

func stampPath(dir string) string { return filepath.Join(dir, ".stamp") }

// make copies the photo from the folder of the fetched ones to dir, and draws it
// again with masks.
func (p photo) make(fetched, dir string) error {
	data, err := os.ReadFile(filepath.Join(fetched, p.name+".jpg"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, p.name+".jpg"), data, 0o644); err != nil {
		return err
	}
	original, err := readJPEG(filepath.Join(dir, p.name+".jpg"))
	if err != nil {
		return err
	}
	return writeJPEG(filepath.Join(dir, p.maskedName()+".jpg"), putMasks(original, p.faces))
}

func readJPEG(path string) (image.Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return jpeg.Decode(file)
}

func writeJPEG(path string, picture image.Image) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(jpeg.Encode(file, picture, &jpeg.Options{Quality: jpegQuality}), file.Close())
}
