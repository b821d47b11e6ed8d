package config_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/config"
)

var errNoName = errors.New("NAME is missing")

type door struct {
	Address  string        `env:"DOOR_ADDRESS" envDefault:"127.0.0.1:1"`
	Password string        `env:"DOOR_PASSWORD" secret:"true"`
	Wait     time.Duration `env:"DOOR_WAIT" envDefault:"3s"`
}

type settings struct {
	Name  string   `env:"NAME"`
	Allow []string `env:"ALLOW"`
	Door  door
	Made  string // by the program, not by the environment
}

func (s *settings) Validate() error {
	if s.Name == "" {
		return errNoName
	}
	return nil
}

func TestLoadReadsNestedSettings(t *testing.T) {
	t.Parallel()
	got, err := config.Load[settings]([]string{"NAME=a", "ALLOW=x,y", "DOOR_PASSWORD=p=q", "DOOR_WAIT=250ms"})
	if err != nil {
		t.Fatal(err)
	}
	want := settings{Name: "a", Allow: []string{"x", "y"}, Door: door{Address: "127.0.0.1:1", Password: "p=q", Wait: 250 * time.Millisecond}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestLoadIgnoresTheProcessEnvironment(t *testing.T) {
	t.Setenv("NAME", "from the process")
	if _, err := config.Load[settings](nil); !errors.Is(err, errNoName) {
		t.Errorf("got %v, want %v", err, errNoName)
	}
}

func TestLoadNamesTheWrongSetting(t *testing.T) {
	t.Parallel()
	_, err := config.Load[settings]([]string{"NAME=a", "DOOR_WAIT=soon"})
	if err == nil || !strings.Contains(err.Error(), "Wait") {
		t.Errorf("got %v, want an error that names the field", err)
	}
}

func TestDescribeMasksSecrets(t *testing.T) {
	t.Parallel()
	cfg := settings{
		Name: "nats://u:hunter2@h:1,nats://i:2", Allow: []string{"x", "y"},
		Door: door{Address: "h:1", Password: "hunter2", Wait: time.Second},
	}
	var line strings.Builder
	slog.New(slog.NewTextHandler(&line, nil)).Info("starting", "settings", config.Describe(&cfg))
	_, got, _ := strings.Cut(line.String(), "msg=starting ")
	want := "settings.NAME=nats://***@h:1,nats://i:2 settings.ALLOW=x,y settings.DOOR_ADDRESS=h:1 settings.DOOR_PASSWORD=*** settings.DOOR_WAIT=1s\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
}
