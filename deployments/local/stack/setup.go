package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"time"
)

const setupLimit = 2 * time.Minute

// setUp runs the product's own set-up: tables, streams, bucket, and at the first
// time the administrator. It asks for an API key whenever none is kept.
func (s *Stack) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	env := s.serviceEnv("setup", "")
	env["SETUP_ADMIN_PASSWORD"] = s.secrets.AdministratorPassword
	if s.secrets.APIKey == "" {
		env["SETUP_API_KEY"] = "new"
	}
	maps.Copy(env, s.options.Env["setup"])
	log, err := os.OpenFile(logPath(s.logDir(), "setup"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, s.binary("setup"))
	cmd.Env, cmd.Stdout, cmd.Stderr = environ(env), &output, log
	err = s.spawner.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return &StartError{Part: "setup", Err: err, Log: lastLines(log.Name())}
	}
	var made struct {
		Administrator string `json:"administrator"`
		APIKey        string `json:"api_key"`
	}
	if err := json.Unmarshal(output.Bytes(), &made); err != nil {
		return fmt.Errorf("reading what setup printed: %w", err)
	}
	s.administrator = made.Administrator
	if made.APIKey == "" {
		return nil
	}
	s.secrets.APIKey = made.APIKey
	return s.secrets.save(s.options.Dir)
}
