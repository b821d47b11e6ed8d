package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// demoPhoto is a file to submit.
type demoPhoto struct {
	path string
	name string // in the table
}

// photoExtensions are those of the formats that the product takes.
func photoExtensions() []string { return []string{".jpg", ".jpeg", ".png", ".webp", ".bmp"} }

// findPhotos gives the photos under the paths: a file as it is, whatever its name,
// and of a folder and the folders in it what is named like a photo. A path that
// yields nothing is an error.
func findPhotos(paths []string) ([]demoPhoto, error) {
	var photos []demoPhoto
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("looking for photos: %w", err)
		}
		if !info.IsDir() {
			photos = append(photos, demoPhoto{path: path, name: filepath.Base(path)})
			continue
		}
		found, err := photosInFolder(path)
		if err != nil {
			return nil, fmt.Errorf("looking for photos in %s: %w", path, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no photos (%s) in %s", strings.Join(photoExtensions(), " "), path)
		}
		photos = append(photos, found...)
	}
	return photos, nil
}

// photosInFolder names a photo by its way from the folder. A folder within that may
// not be read stands for itself, so that it is reported and not passed over.
func photosInFolder(folder string) ([]demoPhoto, error) {
	var found []demoPhoto
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(folder, path)
		if relErr != nil {
			return relErr
		}
		if err != nil {
			if path == folder {
				return err
			}
			found = append(found, demoPhoto{path: path, name: name})
			return nil
		}
		if !entry.IsDir() && slices.Contains(photoExtensions(), strings.ToLower(filepath.Ext(path))) {
			found = append(found, demoPhoto{path: path, name: name})
		}
		return nil
	})
	return found, err
}
