package stack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// Fleet is what the scaler is told of the instances that it launches.
type Fleet struct {
	Min, Max  int           // 0: one, and as many as Min
	Type      string        // of instance; empty: local.full, all of this machine
	BootDelay time.Duration // from a running instance until its programs start; 0: a second
	// Policy is the policy document until somebody puts one; empty: the usual one
	// within Min and Max.
	Policy string
}

func (f Fleet) withDefaults() Fleet {
	f.Min = cmp.Or(f.Min, 1)
	f.Max = max(f.Min, f.Max)
	f.Type = cmp.Or(f.Type, "local.full")
	f.BootDelay = cmp.Or(f.BootDelay, usualBootDelay)
	return f
}

const usualBootDelay = time.Second

// bootDelay is that of every instance, also of those that a person launches.
func (s *Stack) bootDelay() time.Duration {
	if s.options.Fleet == nil {
		return usualBootDelay
	}
	return s.options.Fleet.BootDelay
}

// scaler is the only part that launches instances. All of AWS is at one address here.
func (s *Stack) scaler() spec {
	endpoint := "http://" + s.at.aws
	scaler := s.service("scaler", "scaler", "", s.at.scalerPrivate, map[string]string{
		"AWS_REGION":             awsRegion,
		"AWS_ACCESS_KEY_ID":      s.secrets.AWSAccessKey,
		"AWS_SECRET_ACCESS_KEY":  s.secrets.AWSSecretKey,
		"EC2_ENDPOINT":           endpoint,
		"ELB_ENDPOINT":           endpoint,
		"CLOUDWATCH_ENDPOINT":    endpoint,
		"FLEET_IMAGE":            awsImage,
		"FLEET_TYPES":            s.options.Fleet.Type,
		"FLEET_ZONES":            awsZones(),
		"FLEET_KEY_PAIR":         awsKeyPair,
		"FLEET_INSTANCE_PROFILE": awsProfile,
		"FLEET_TARGET_GROUP":     awsTargetGroup,
		"FLEET_INTERVAL":         "500ms", // nobody counts calls here
		"FLEET_BOOT_DEADLINE":    "60s",
		"SCALING_POLICY":         s.policy(),
	})
	scaler.ready = connects(s.at.scalerPrivate)
	return scaler
}

// policy is the document that the scaler begins with.
func (s *Stack) policy() string {
	fleet := s.options.Fleet
	if fleet.Policy != "" {
		return fleet.Policy
	}
	document, _ := json.Marshal(map[string]any{ // numbers and texts only
		"format": 1, "min": fleet.Min, "max": fleet.Max, "slots_per_instance": s.slots(),
		"target_wait": map[string]any{"boot_seconds": (fleet.BootDelay + bootAllowance).Seconds(), "target_seconds": targetSeconds},
	})
	return string(document)
}

// targetSeconds is longer than a boot takes on a busy machine, so that an idle stack is
// one instance: those that stand in reserve would share the same cores.
const targetSeconds = 30

// bootAllowance is what it takes beside the boot delay until an instance works.
const bootAllowance = 3 * time.Second

// slots of an instance: what its worker is told, or would take by itself.
func (s *Stack) slots() int {
	if told, err := strconv.Atoi(s.options.Env["inference-worker"]["SLOTS"]); err == nil && told > 0 {
		return told
	}
	return runtime.NumCPU()
}

func doorURL(address string) string { return fmt.Sprintf("http://%s:%d", address, awsDoorPort) }
