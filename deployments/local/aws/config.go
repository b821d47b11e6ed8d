package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"maskfleet/deployments/local/aws/balancer"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/wire"
)

// Config is read from a JSON file, since images do not fit into flags. What is zero is not
// written, and is as usual where it is read.
type Config struct {
	Listen    string            `json:"listen"`  // host:port of the API
	Control   string            `json:"control"` // host:port where faults are asked for
	Dir       string            `json:"dir"`     // what the API keeps
	Host      string            `json:"host"`    // socket of the host
	Region    string            `json:"region,omitzero"`
	AccountID string            `json:"account_id,omitzero"`
	Keys      []wire.Key        `json:"keys"`
	Images    []ec2.Image       `json:"images"`
	KeyPairs  []string          `json:"key_pairs"`
	Roles     []host.Role       `json:"roles"`
	Balancers []balancer.Config `json:"balancers"`
	Entrances []elb.Entrance    `json:"entrances"`

	Pending   Duration `json:"pending,omitzero"`   // until an instance runs
	Boot      Duration `json:"boot,omitzero"`      // from then until its programs start
	Shutdown  Duration `json:"shutdown,omitzero"`  // that programs have to end by themselves
	Forgotten Duration `json:"forgotten,omitzero"` // until a terminated instance is no longer shown
	Speed     float64  `json:"speed,omitzero"`     // of health checks and deregistration
	Monitor   Duration `json:"monitor,omitzero"`   // how often detailed monitoring reads instances and targets
}

// Duration is one that is written as a text: "2s".
type Duration time.Duration

// UnmarshalText makes it readable in JSON.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// MarshalText makes it writable in JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// LoadConfig reads the file and fills in what is usual.
func LoadConfig(path string) (Config, error) {
	config := Config{
		Region: "eu-central-1", AccountID: "000000000000",
		Pending: Duration(500 * time.Millisecond), Boot: Duration(time.Second),
		Shutdown: Duration(30 * time.Second), Forgotten: Duration(time.Hour), Speed: 1,
		Monitor: Duration(time.Minute),
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the settings: %w", err)
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return Config{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return config, config.check()
}

func (c Config) check() error {
	for name, address := range map[string]string{"listen": c.Listen, "control": c.Control} {
		if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
			return fmt.Errorf("%s: %q is not a loopback address with a port", name, address)
		}
	}
	switch {
	case c.Dir == "" || c.Host == "":
		return errors.New("dir and host must be set")
	case len(c.Keys) == 0:
		return errors.New("keys must hold one at least")
	case c.Speed <= 0 || c.Monitor <= 0:
		return errors.New("speed and monitor must be above 0")
	}
	for _, image := range c.Images {
		for _, program := range image.Programs {
			if program.Name == "" || len(program.Command) == 0 {
				return fmt.Errorf("image %s: a program needs a name and a command", image.ID)
			}
		}
	}
	return nil
}
