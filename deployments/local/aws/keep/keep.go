package keep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Load reads the file into value; one that is not there leaves it as it is.
func Load(path string, value any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading what was kept: %w", err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// Save replaces the file, readable by its owner only. A process that is killed leaves
// the old content or the new; a machine that loses its power may leave neither.
func Save(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("keeping %s: %w", path, err)
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return fmt.Errorf("keeping %s: %w", path, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("keeping %s: %w", path, err)
	}
	return nil
}
