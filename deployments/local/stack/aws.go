package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"maskfleet/deployments/local/aws"
	haproxy "maskfleet/deployments/local/aws/balancer"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/wire"
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

func (s *Stack) awsSettings(dir string) (aws.Config, error) {
	web, err := strconv.Atoi(port(s.at.web))
	if err != nil {
		return aws.Config{}, err
	}
	key := wire.Key{AccessKey: s.secrets.AWSAccessKey, SecretKey: s.secrets.AWSSecretKey}
	return aws.Config{
		Listen: s.at.aws, Control: s.at.awsControl, Dir: dir, Host: s.hostSocket(),
		Region: awsRegion, AccountID: awsAccount, Keys: []wire.Key{key}, KeyPairs: []string{awsKeyPair},
		Roles: []host.Role{{
			Name: awsProfile, ProfileARN: "arn:aws:iam::" + awsAccount + ":instance-profile/" + awsProfile,
			AccessKey: key.AccessKey, SecretKey: key.SecretKey,
		}},
		Images:    []ec2.Image{s.image()},
		Balancers: []haproxy.Config{{Port: web, Socket: s.balancerSocket(), Backend: balancerBackend, Server: balancerServer}},
		Entrances: []elb.Entrance{{Name: awsWeb, ID: awsWebID, Port: web, TargetPort: awsDoorPort, CheckPath: "/readyz", Delay: awsDelay}},
		Boot:      aws.Duration(s.bootDelay()),
		// Checks every five seconds, the least that AWS knows, become two a second, and
		// what drains for half a minute three seconds.
		Speed: 10,
	}, nil
}

// image is one front door and one worker with the settings of those that the stack
// starts itself, at the address of their instance; user data may change them.
func (s *Stack) image() ec2.Image {
	at := func(port int) string { return fmt.Sprintf("${local-ipv4}:%d", port) }
	door := s.ingest(instanceAddresses{ingest: at(awsDoorPort), ingestPrivate: at(awsDoorPrivatePort)}, 0)
	worker := s.worker(instanceAddresses{workerPrivate: at(awsWorkerPrivatePort)}, 0)
	for _, program := range []spec{door, worker} { // they ask the metadata service who they are
		delete(program.env, "WORKER_ID")
		delete(program.env, "INSTANCE_ID")
	}
	return ec2.Image{
		ID: awsImage, Name: "maskfleet", Description: "a front door and a worker", CreatedAt: s.startedAt,
		Programs: []host.Program{
			{Name: "ingest", Command: []string{door.program}, Environment: s.with("ingest", door.env), UserData: true},
			{Name: "inference-worker", Command: []string{worker.program}, Environment: s.with("inference-worker", worker.env), UserData: true},
		},
	}
}

func (s *Stack) hostSocket() string { return filepath.Join(s.socketDir, "aws-host.sock") }
