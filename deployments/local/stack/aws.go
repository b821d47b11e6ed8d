package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// What the stand-in for AWS calls things.
const (
	awsRegion  = s3Region
	awsAccount = "000000000000"
	awsImage   = "ami-0a5cf1ee7000000ce"
	awsKeyPair = "maskfleet"
	awsProfile = "maskfleet-worker"

	// The ports of every instance.
	awsDoorPort          = 8080
	awsDoorPrivatePort   = 9100
	awsWorkerPrivatePort = 9101

	// The load balancer and the target group of the front doors.
	awsWeb         = "maskfleet"
	awsWebID       = "50dc6c495c0c9188"
	awsDelay       = 30 // seconds that a target drains
	awsTargetGroup = "arn:aws:elasticloadbalancing:" + awsRegion + ":" + awsAccount + ":targetgroup/" + awsWeb + "/" + awsWebID
)

// awsZones are those of awsRegion.
func awsZones() string { return awsRegion + "a," + awsRegion + "b," + awsRegion + "c" }

// awsSettings is the part of the stand-in's settings that differs here; the stand-in
// knows the rest.
type awsSettings struct {
	Listen    string        `json:"listen"`
	Control   string        `json:"control"`
	Dir       string        `json:"dir"`
	Host      string        `json:"host"`
	Region    string        `json:"region"`
	AccountID string        `json:"account_id"`
	Keys      []awsKey      `json:"keys"`
	KeyPairs  []string      `json:"key_pairs"`
	Roles     []awsRole     `json:"roles"`
	Images    []awsMachine  `json:"images"`
	Balancers []awsBalancer `json:"balancers"`
	Entrances []awsEntrance `json:"entrances"`
	Boot      string        `json:"boot"`
	Speed     float64       `json:"speed"`
	Monitor   string        `json:"monitor"`
}

type awsKey struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

type awsRole struct {
	Name       string `json:"name"`
	ProfileARN string `json:"profile_arn"`
	awsKey
}

// awsMachine is an image: what each instance of it starts.
type awsMachine struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	CreatedAt   time.Time    `json:"created_at"`
	Programs    []awsProgram `json:"programs"`
}

type awsProgram struct {
	Name        string            `json:"name"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	UserData    bool              `json:"user_data_environment"`
}

type awsBalancer struct {
	Port    int    `json:"port"`
	Socket  string `json:"socket"`
	Backend string `json:"backend"`
	Server  string `json:"server"`
}

// awsEntrance is a load balancer that is there from the first start.
type awsEntrance struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Port       int    `json:"port"`
	TargetPort int    `json:"target_port"`
	CheckPath  string `json:"check_path"`
	Delay      int    `json:"deregistration_delay"` // seconds
}

// awsHost runs the instances of the stand-in; they end with it.
func (s *Stack) awsHost() (spec, error) {
	dir := s.dataDir("aws-host")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return spec{}, err
	}
	return spec{
		program: s.binary("aws"),
		args:    []string{"host", "-dir", dir, "-socket", s.hostSocket(), "-shutdown", "30s"},
		ready:   connectsTo("unix", s.hostSocket()), readyLimit: 30 * time.Second,
		// The workers of its instances may take their whole drain time.
		stopSignal: syscall.SIGTERM, stopLimit: 35 * time.Second,
	}, nil
}

// aws is the API: EC2, load balancing and CloudWatch. Killed and started again, it
// finds its instances at the host.
func (s *Stack) aws() (spec, error) {
	dir := s.dataDir("aws")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return spec{}, err
	}
	path := filepath.Join(s.runDir(), "aws.json")
	settings, err := s.awsSettings(dir)
	if err == nil {
		err = writeJSON(path, settings)
	}
	if err != nil {
		return spec{}, fmt.Errorf("writing the settings of the stand-in for AWS: %w", err)
	}
	return spec{
		program: s.binary("aws"), args: []string{"api", "-config", path}, address: s.at.aws,
		ready: connects(s.at.aws), readyLimit: 30 * time.Second,
		stopSignal: syscall.SIGTERM, stopLimit: 10 * time.Second,
	}, nil
}

func (s *Stack) awsSettings(dir string) (awsSettings, error) {
	web, err := strconv.Atoi(port(s.at.web))
	if err != nil {
		return awsSettings{}, err
	}
	key := awsKey{s.secrets.AWSAccessKey, s.secrets.AWSSecretKey}
	return awsSettings{
		Listen: s.at.aws, Control: s.at.awsControl, Dir: dir, Host: s.hostSocket(),
		Region: awsRegion, AccountID: awsAccount, Keys: []awsKey{key}, KeyPairs: []string{awsKeyPair},
		Roles:     []awsRole{{awsProfile, "arn:aws:iam::" + awsAccount + ":instance-profile/" + awsProfile, key}},
		Images:    []awsMachine{s.image()},
		Balancers: []awsBalancer{{web, s.balancerSocket(), balancerBackend, balancerServer}},
		Entrances: []awsEntrance{{awsWeb, awsWebID, web, awsDoorPort, "/readyz", awsDelay}},
		Boot:      s.bootDelay().String(),
		// Checks every five seconds, the least that AWS knows, become two a second, and
		// what drains for half a minute three seconds.
		Speed: 10, Monitor: "1m",
	}, nil
}

// image is one front door and one worker with the settings of those that the stack
// starts itself, at the address of their instance; user data may change them.
func (s *Stack) image() awsMachine {
	at := func(port int) string { return fmt.Sprintf("${local-ipv4}:%d", port) }
	door := s.ingest(instanceAddresses{ingest: at(awsDoorPort), ingestPrivate: at(awsDoorPrivatePort)}, 0)
	worker := s.worker(instanceAddresses{workerPrivate: at(awsWorkerPrivatePort)}, 0)
	for _, program := range []spec{door, worker} { // they ask the metadata service who they are
		delete(program.env, "WORKER_ID")
		delete(program.env, "INSTANCE_ID")
	}
	return awsMachine{
		ID: awsImage, Name: "maskfleet", Description: "a front door and a worker", CreatedAt: s.startedAt,
		Programs: []awsProgram{
			{"ingest", []string{door.program}, s.with("ingest", door.env), true},
			{"inference-worker", []string{worker.program}, s.with("inference-worker", worker.env), true},
		},
	}
}

func (s *Stack) hostSocket() string { return filepath.Join(s.socketDir, "aws-host.sock") }
