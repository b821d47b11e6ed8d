package host

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Spec is all that a machine needs to boot, and to boot again.
type Spec struct {
	ID        string        `json:"id"`
	Address   netip.Addr    `json:"address"` // loopback, its own
	BootDelay time.Duration `json:"boot_delay"`
	Programs  []Program     `json:"programs"`
	Cores     float64       `json:"cores"` // of CPU that it may use; 0: all there are
	Trouble   Trouble       `json:"trouble,omitempty"`
	Metadata  Metadata      `json:"metadata"`
}

// Trouble is what goes wrong at a boot.
type Trouble string

// The troubles.
const (
	NoTrouble  Trouble = ""
	NeverBoots Trouble = "never_boots" // no program is ever started
	Hangs      Trouble = "hangs"       // its programs are started and stand still
)

// Program is one that an image starts. In the values of its environment and in its
// command, ${instance-id}, ${instance-type}, ${local-ipv4}, ${availability-zone} and
// ${region} stand for what the machine's metadata say.
type Program struct {
	Name        string            `json:"name"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment,omitempty"`
	// UserData says that the lines NAME=value of the user data are put into the
	// environment, over its own, as a unit of the image would do before the program.
	UserData bool `json:"user_data_environment,omitempty"`
}

// environ is the program's environment on one machine. Besides what the image says it
// is told where its metadata are, as AWS's clients read it, and where what a kernel of
// the machine's own would say of its CPU.
func (p Program) environ(m Metadata, metadataURL, stat string) ([]string, error) {
	env := make(map[string]string)
	for name, value := range p.Environment {
		env[name] = m.expand(value)
	}
	if p.UserData {
		settings, err := parseEnvironment(m.UserData)
		if err != nil {
			return nil, err
		}
		maps.Copy(env, settings)
	}
	env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadataURL
	env["INSTANCE_STAT"] = stat
	lines := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines = append(lines, name+"="+env[name])
	}
	return lines, nil
}

func (p Program) args(m Metadata) []string {
	args := slices.Clone(p.Command)
	for i := range args {
		args[i] = m.expand(args[i])
	}
	return args
}

// parseEnvironment reads what systemd reads as an EnvironmentFile, without its
// quotes.
func parseEnvironment(text []byte) (map[string]string, error) {
	env := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("reading the user data: %q is not NAME=value", line)
		}
		env[name] = value
	}
	return env, nil
}
