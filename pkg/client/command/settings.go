package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"maskfleet/pkg/client"
)

// For how long a request is tried again.
const (
	longPatience  = 10 * time.Minute // of what runs by itself: longer than a deploy takes
	shortPatience = 15 * time.Second // of what a person waits for
	noPatience    = -1
)

// tellEvery is how often a person is told that the front door does not answer.
const tellEvery = 10 * time.Second

// settings say whom to speak to.
type settings struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

func (a *app) configPath() string {
	if a.flags.config != "" {
		return a.flags.config
	}
	return filepath.Join(a.ConfigFolder, "maskfleet", "config.json")
}

// settings takes each setting from the first place that has it.
func (a *app) settings() (settings, error) {
	s, err := readSettings(a.configPath())
	if err != nil {
		return s, err
	}
	if value := a.Getenv("MASKFLEET_URL"); value != "" {
		s.URL = value
	}
	if value := a.Getenv("MASKFLEET_KEY"); value != "" {
		s.Key = value
	}
	if a.flags.url != "" {
		s.URL = a.flags.url
	}
	if a.flags.keyFile != "" {
		key, err := os.ReadFile(a.flags.keyFile)
		if err != nil {
			return s, fmt.Errorf("reading the API key: %w", err)
		}
		s.Key = strings.TrimSpace(string(key))
	}
	if s.URL == "" || s.Key == "" {
		return s, errors.New("whom should I speak to? Run “maskfleet configure”, or set MASKFLEET_URL and MASKFLEET_KEY")
	}
	return s, nil
}

// readSettings gives nothing where there is no file.
func readSettings(path string) (s settings, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading the configuration %s: %w", path, err)
	}
	return s, nil
}

// writeSettings lets nobody else read the key.
func writeSettings(path string, s settings) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	fresh := path + ".new"
	_ = os.Remove(fresh) // of a write that was interrupted, perhaps with other permissions
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// client gives a client of the front door, and what tells this account from others.
func (a *app) client(patience time.Duration) (c *client.Client, account string, err error) {
	s, err := a.settings()
	if err != nil {
		return nil, "", err
	}
	c, err = client.New(client.Config{
		URL: s.URL, Key: s.Key, Patience: patience, UserAgent: "maskfleet-command", Retrying: a.sayRetrying(),
	})
	return c, strings.TrimRight(s.URL, "/") + "\n" + s.Key, err
}

// sayRetrying tells of requests that are tried again, but not of each, and not of a
// first trouble, which is often over at once.
func (a *app) sayRetrying() func(error, time.Duration) {
	var mu sync.Mutex // guards told
	var told time.Time
	return func(err error, after time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if after < time.Second || time.Since(told) < tellEvery {
			return
		}
		told = time.Now()
		a.say("Trying again: %s", printable(err.Error()))
	}
}
