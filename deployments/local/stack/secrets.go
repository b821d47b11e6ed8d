package stack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secrets outlive a stack as its data does.
type secrets struct {
	MySQLPassword         string    `json:"mysql_password"`
	MySQLRootPassword     string    `json:"mysql_root_password"`
	RedisPassword         string    `json:"redis_password"`
	NATSPasswords         passwords `json:"nats_passwords"` // by user, one a service
	S3AccessKey           string    `json:"s3_access_key"`
	S3SecretKey           string    `json:"s3_secret_key"`
	AWSAccessKey          string    `json:"aws_access_key"`
	AWSSecretKey          string    `json:"aws_secret_key"`
	AdministratorPassword string    `json:"administrator_password"`
	APIKey                string    `json:"api_key"` // made by setup, not here
}

type passwords map[string]string

// loadSecrets reads the secrets of dir and makes those that are missing.
func loadSecrets(dir string) (secrets, error) {
	var s secrets
	data, err := os.ReadFile(secretsPath(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return secrets{}, fmt.Errorf("reading the secrets: %w", err)
	default:
		if err := json.Unmarshal(data, &s); err != nil {
			return secrets{}, fmt.Errorf("reading %s: %w", secretsPath(dir), err)
		}
	}
	for _, secret := range []*string{
		&s.MySQLPassword, &s.MySQLRootPassword, &s.RedisPassword,
		&s.S3AccessKey, &s.S3SecretKey, &s.AWSAccessKey, &s.AWSSecretKey, &s.AdministratorPassword,
	} {
		if *secret == "" {
			*secret = rand.Text()
		}
	}
	if s.NATSPasswords == nil {
		s.NATSPasswords = make(passwords)
	}
	for _, user := range natsUsers() {
		if s.NATSPasswords[user] == "" {
			s.NATSPasswords[user] = rand.Text()
		}
	}
	return s, s.save(dir)
}

func (s secrets) save(dir string) error {
	if err := writeJSON(secretsPath(dir), s); err != nil {
		return fmt.Errorf("keeping the secrets: %w", err)
	}
	return nil
}

func secretsPath(dir string) string { return filepath.Join(dir, "secrets.json") }

// writeJSON replaces the file as a whole, readable by its owner only.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(data, '\n'))
}

func replaceFile(path string, data []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
