package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"maskfleet/deployments/local/spawn"
)

// Stack is a running product. Its methods may be used by many at once, except
// that Stop must be the last.
type Stack struct {
	options   Options
	at        addresses
	secrets   secrets
	socketDir string
	lock      *os.File
	ports     *portPicker
	spawner   *spawn.Spawner
	exits     chan Exit
	startedAt time.Time

	administrator string

	mu       sync.Mutex // guards all below and the writing of stack.json
	parts    []*Part    // in the order of their start
	launched []Instance // of the fleet, as they were seen last
}

// plan is a part that may yet be left out; spec prepares what it needs.
type plan struct {
	name string
	spec func(context.Context) (spec, error)
}

// Start starts all parts in order and returns when the last one is ready. What
// was started is stopped again if one fails. A folder with a running stack is
// ErrRunning.
func Start(ctx context.Context, options Options) (*Stack, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := s.startAll(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// open takes the folder and decides on addresses and secrets.
func open(ctx context.Context, options Options) (*Stack, error) {
	s := &Stack{options: options, exits: make(chan Exit, 64), startedAt: time.Now().UTC()}
	for _, dir := range []string{options.Dir, s.runDir(), s.logDir(), filepath.Join(options.Dir, "data")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the stack's folders: %w", err)
		}
	}
	lock, err := acquire(options.Dir)
	if err != nil {
		return nil, err
	}
	s.lock = lock
	s.spawner = spawn.New()
	if err := s.decide(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

func (s *Stack) decide(ctx context.Context) error {
	awaitPrevious(ctx, s.options.Dir)
	if err := removeFile(infoPath(s.options.Dir)); err != nil {
		return fmt.Errorf("removing what the last stack left: %w", err)
	}
	var err error
	if s.socketDir, err = shortDir(s.runDir()); err != nil {
		return err
	}
	if s.secrets, err = loadSecrets(s.options.Dir); err != nil {
		return err
	}
	if s.ports, err = newPortPicker(); err != nil {
		return err
	}
	s.at, err = pickAddresses(s.options, s.ports)
	return err
}

// shortDir is a folder whose sockets' names stay within the 107 bytes that the
// kernel allows, which the folders of tests do not.
func shortDir(dir string) (string, error) {
	const mostBytes = 80
	if len(dir) <= mostBytes {
		return dir, nil
	}
	return os.MkdirTemp("", "maskfleet-")
}

func (s *Stack) startAll(ctx context.Context) error {
	for _, plan := range s.plans() {
		if !s.options.wants(plan.name) {
			continue
		}
		done := s.options.Starting(plan.name)
		err := s.startPlanned(ctx, plan)
		done(err)
		if err != nil {
			return err
		}
	}
	return s.writeInfo()
}

// plans is the product in the order of its start; the stop goes backwards.
func (s *Stack) plans() []plan {
	plans := []plan{
		{name: "mariadb", spec: s.mariadb},
		{name: "redis", spec: prepared(s.redis)},
		{name: "nats", spec: prepared(s.nats)},
		{name: "s3", spec: prepared(s.s3)},
		{name: "setup"},
	}
	for n := range s.at.instances {
		plans = append(plans, s.instanceParts(n)...)
	}
	plans = append(plans,
		plan{name: "manager", spec: fixed(s.manager())},
		plan{name: "aws-host", spec: prepared(s.awsHost)},
		plan{name: "aws", spec: prepared(s.aws)},
		plan{name: "haproxy", spec: prepared(s.haproxy)},
	)
	if _, err := os.Stat(s.binary("outside")); err == nil {
		plans = append(plans, plan{name: "outside", spec: prepared(s.outside)})
	}
	if s.options.Fleet != nil {
		plans = append(plans, plan{name: "scaler", spec: fixed(s.scaler())}, plan{name: "instances"})
	}
	return plans
}

func fixed(known spec) func(context.Context) (spec, error) {
	return func(context.Context) (spec, error) { return known, nil }
}

func prepared(prepare func() (spec, error)) func(context.Context) (spec, error) {
	return func(context.Context) (spec, error) { return prepare() }
}

func (s *Stack) startPlanned(ctx context.Context, plan plan) error {
	if err := keepPrevious(logPath(s.logDir(), plan.name)); err != nil {
		return err
	}
	switch plan.name { // steps that leave no process behind
	case "setup":
		return s.setUp(ctx)
	case "instances":
		return s.awaitInstances(ctx)
	}
	spec, err := plan.spec(ctx)
	if err != nil {
		return fmt.Errorf("preparing %s: %w", plan.name, err)
	}
	spec.name = plan.name
	spec.env = s.with(plan.name, spec.env)
	part := &Part{spec: spec, spawner: s.spawner, logPath: logPath(s.logDir(), plan.name), exits: s.exits}
	s.mu.Lock()
	s.parts = append(s.parts, part)
	s.mu.Unlock()
	return part.start(ctx)
}

// with is a part's settings and those that the options replace or add.
func (s *Stack) with(part string, env map[string]string) map[string]string {
	all := make(map[string]string)
	maps.Copy(all, env)
	maps.Copy(all, s.options.Env[part])
	return all
}

// Part panics on a name that was not started: a mistake in the calling test.
func (s *Stack) Part(name string) *Part {
	part, err := s.find(name)
	if err != nil {
		panic(err)
	}
	return part
}

func (s *Stack) find(name string) (*Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range s.parts {
		if part.name == name {
			return part, nil
		}
	}
	return nil, fmt.Errorf("the stack has no part %q", name)
}

// Kill sends the signal to the part's process alone. After SIGKILL it returns
// when the process has been seen gone. It is not started again, unless Supervise
// runs.
func (s *Stack) Kill(name string, signal syscall.Signal) error {
	part, err := s.find(name)
	if err != nil {
		return err
	}
	return part.signal(signal)
}

// StartPart starts a part that does not run, on the port and data it had, and
// returns when it is ready.
func (s *Stack) StartPart(ctx context.Context, name string) error {
	part, err := s.find(name)
	if err != nil {
		return err
	}
	if err := part.start(ctx); err != nil {
		return err
	}
	return s.writeInfo()
}

// StopPart asks the part to stop and returns when it is gone.
func (s *Stack) StopPart(ctx context.Context, name string) error {
	part, err := s.find(name)
	if err != nil {
		return err
	}
	return errors.Join(part.stop(ctx), s.writeInfo())
}

// Restart is StopPart and StartPart.
func (s *Stack) Restart(ctx context.Context, name string) error {
	if err := s.StopPart(ctx, name); err != nil {
		return err
	}
	return s.StartPart(ctx, name)
}

// Stop stops all parts in reverse order, each with its own time to stop; at
// ctx's end what is left is killed. Data and logs stay.
func (s *Stack) Stop(ctx context.Context) error {
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()
	var errs []error
	for _, part := range slices.Backward(parts) {
		errs = append(errs, part.stop(ctx))
	}
	return errors.Join(append(errs, s.release())...)
}

// release gives the folder back; every part must be gone.
func (s *Stack) release() error {
	s.spawner.Close()
	var errs []error
	if s.socketDir != "" && s.socketDir != s.runDir() {
		errs = append(errs, os.RemoveAll(s.socketDir))
	}
	if s.ports != nil {
		errs = append(errs, s.ports.release())
	}
	errs = append(errs, removeFile(infoPath(s.options.Dir)), s.lock.Close())
	return errors.Join(errs...)
}

// BrokerPassword is that of a user of the broker; stack.json has only the operator's.
func (s *Stack) BrokerPassword(user string) string { return s.secrets.NATSPasswords[user] }

// Info is what stack.json says.
func (s *Stack) Info() Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info()
}

func (s *Stack) writeInfo() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := writeJSON(infoPath(s.options.Dir), s.info()); err != nil {
		return fmt.Errorf("writing stack.json: %w", err)
	}
	return nil
}

func (s *Stack) info() Info {
	info := Info{
		PID:           os.Getpid(),
		StartedAt:     s.startedAt,
		Dir:           s.options.Dir,
		LogDir:        s.logDir(),
		Administrator: Login{Username: s.administrator, Password: s.secrets.AdministratorPassword},
		APIKey:        s.secrets.APIKey,
		MySQL:         MySQLInfo{Address: s.at.mysql, User: mysqlUser, Password: s.secrets.MySQLPassword, Database: mysqlDatabase},
		Redis:         RedisInfo{Address: s.at.redis, Password: s.secrets.RedisPassword},
		NATS:          NATSInfo{URL: "nats://" + s.at.nats, User: natsOperator, Password: s.secrets.NATSPasswords[natsOperator]},
		S3:            S3Info{Endpoint: "http://" + s.at.s3, Region: s3Region, Bucket: s3Bucket, AccessKey: s.secrets.S3AccessKey, SecretKey: s.secrets.S3SecretKey},
		AWS: AWSInfo{
			Endpoint: "http://" + s.at.aws, Control: "http://" + s.at.awsControl, Region: awsRegion,
			AccessKey: s.secrets.AWSAccessKey, SecretKey: s.secrets.AWSSecretKey,
			Image: awsImage, KeyPair: awsKeyPair, InstanceProfile: awsProfile, TargetGroup: awsTargetGroup,
		},
		Parts:     make(map[string]PartInfo),
		Instances: make(map[string]Instance),
	}
	for _, instance := range s.launched {
		info.Instances[instance.ID] = instance
	}
	for _, part := range s.parts {
		info.Parts[part.name] = part.info()
		switch part.name {
		case "ingest", "haproxy":
			info.URLs.Web = s.publicURL()
		case "manager":
			info.URLs.Manager = "http://" + part.address
		case "outside":
			info.URLs.Outside = "http://" + part.address
			info.URLs.Mail = info.URLs.Outside + "/mail"
			info.URLs.Webhooks = info.URLs.Outside + "/webhooks"
		}
	}
	return info
}

// binary looks into the usual folder too: the programs built for tests leave out
// those that are the same in every flavour.
func (s *Stack) binary(name string) string {
	path := filepath.Join(s.options.Bin, name)
	if _, err := os.Stat(path); err != nil {
		return filepath.Join(usualBin(s.options.Root), name)
	}
	return path
}

func (s *Stack) runDir() string { return filepath.Join(s.options.Dir, "run") }
func (s *Stack) logDir() string { return filepath.Join(s.options.Dir, "log") }
func (s *Stack) dataDir(part string) string {
	return filepath.Join(s.options.Dir, "data", part)
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
