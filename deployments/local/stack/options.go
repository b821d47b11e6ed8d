package stack

import (
	"errors"
	"path/filepath"
	"slices"
)

// Options say where a stack lives and how it differs from the usual one.
type Options struct {
	Root  string // of the repository; required
	Dir   string // data, logs, sockets, stack.json; empty: Root/.local
	Bin   string // built programs, before those of Root/.local/bin; empty: only those
	Cache string // what stacks share, for instance an empty database; empty: Root/.local/cache

	Ports     Ports
	Instances int                          // that the stack starts itself and whose parts can be killed by name; 0: one, or none with a Fleet
	Fleet     *Fleet                       // instances that the scaler launches; nil: there is no scaler
	Without   []string                     // parts that are not started
	Env       map[string]map[string]string // part → settings that replace or add to the usual ones

	// Starting is told of each part as it starts and calls back when the part
	// is ready or has failed; nil for silence.
	Starting func(part string) (done func(error))
}

// Ports are the addresses a person types. Zero means any free port; one that is
// taken moves to a free one.
type Ports struct {
	Web, Manager, NATS, S3, AWS int
}

// UsualPorts are those of `up`.
func UsualPorts() Ports {
	return Ports{Web: 8080, Manager: 5000, NATS: 4222, S3: 7070, AWS: 4566}
}

func (o Options) withDefaults() (Options, error) {
	if o.Root == "" {
		return Options{}, errors.New("starting the stack: Options.Root is empty")
	}
	local := filepath.Join(o.Root, ".local")
	for _, field := range []struct {
		path  *string
		usual string
	}{
		{&o.Dir, local},
		{&o.Bin, usualBin(o.Root)},
		{&o.Cache, filepath.Join(local, "cache")},
	} {
		if *field.path == "" {
			*field.path = field.usual
		}
		absolute, err := filepath.Abs(*field.path)
		if err != nil {
			return Options{}, err
		}
		*field.path = absolute
	}
	if o.Instances == 0 && o.Fleet == nil {
		o.Instances = 1
	}
	if o.Fleet != nil {
		fleet := o.Fleet.withDefaults()
		o.Fleet = &fleet
	}
	if o.Starting == nil {
		o.Starting = func(string) func(error) { return func(error) {} }
	}
	return o, nil
}

func (o Options) wants(part string) bool { return !slices.Contains(o.Without, part) }

func usualBin(root string) string { return filepath.Join(root, ".local", "bin") }
