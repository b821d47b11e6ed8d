package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Info is what a script needs to know of a running stack. It is kept in
// stack.json, readable by its owner only, from the moment everything is ready
// until the stack stops.
type Info struct {
	PID           int                 `json:"pid"` // of the process that runs the stack
	StartedAt     time.Time           `json:"started_at"`
	Dir           string              `json:"dir"`
	LogDir        string              `json:"log_dir"`
	URLs          URLs                `json:"urls"`
	Administrator Login               `json:"administrator"`
	APIKey        string              `json:"api_key"`
	MySQL         MySQLInfo           `json:"mysql"`
	Redis         RedisInfo           `json:"redis"`
	NATS          NATSInfo            `json:"nats"`
	S3            S3Info              `json:"s3"`
	AWS           AWSInfo             `json:"aws"`
	Parts         map[string]PartInfo `json:"parts"`
	Instances     map[string]Instance `json:"instances"` // of the fleet, by id; the launcher keeps it up to date
}

// URLs are empty for parts that were left out.
type URLs struct {
	Web      string `json:"web"`
	Manager  string `json:"manager"`
	Outside  string `json:"outside"`  // where the sample photos are served
	Mail     string `json:"mail"`     // the page of all mail that was caught
	Webhooks string `json:"webhooks"` // the page of all webhooks that were caught; they go to Outside + "/hooks"
}

// Login is what a person types.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// MySQLInfo opens the database.
type MySQLInfo struct {
	Address  string `json:"address"`
	User     string `json:"user"`
	Password string `json:"password"`
	Database string `json:"database"`
}

// RedisInfo opens the cache.
type RedisInfo struct {
	Address  string `json:"address"`
	Password string `json:"password"`
}

// NATSInfo opens the broker to a person, the operator.
type NATSInfo struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// S3Info opens the bucket, with path-style addresses.
type S3Info struct {
	Endpoint  string `json:"endpoint"`
	Region    string `json:"region"`
	Bucket    string `json:"bucket"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// AWSInfo opens the stand-in for AWS, and names what a launch there needs.
type AWSInfo struct {
	Endpoint        string `json:"endpoint"`
	Control         string `json:"control"` // where faults are asked for
	Region          string `json:"region"`
	AccessKey       string `json:"access_key"`
	SecretKey       string `json:"secret_key"`
	Image           string `json:"image"`
	KeyPair         string `json:"key_pair"`
	InstanceProfile string `json:"instance_profile"`
	TargetGroup     string `json:"target_group"` // ARN, of the front doors
}

// PartInfo is one process.
type PartInfo struct {
	PID     int    `json:"pid"`     // 0: not running
	Address string `json:"address"` // host:port; empty: none
	Private string `json:"private"` // host:port of /metrics; empty: none
	Log     string `json:"log"`
}

// Read reads the stack.json of dir. That it is there does not mean that the
// stack still runs: see Running.
func Read(dir string) (Info, error) {
	data, err := os.ReadFile(infoPath(dir))
	if err != nil {
		return Info{}, err
	}
	var info Info
	if err := json.Unmarshal(data, &info); err != nil {
		return Info{}, fmt.Errorf("reading %s: %w", infoPath(dir), err)
	}
	return info, nil
}

func infoPath(dir string) string { return filepath.Join(dir, "stack.json") }
