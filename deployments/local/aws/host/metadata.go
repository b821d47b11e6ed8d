package host

import (
	"strings"
	"time"
)

// Metadata is what a machine is told of itself.
type Metadata struct {
	InstanceID   string            `json:"instance_id"`
	InstanceType string            `json:"instance_type"`
	ImageID      string            `json:"image_id"`
	LocalIPv4    string            `json:"local_ipv4"`
	Hostname     string            `json:"hostname"`
	Region       string            `json:"region"`
	Zone         string            `json:"zone"`
	ZoneID       string            `json:"zone_id"`
	AccountID    string            `json:"account_id"`
	LifeCycle    string            `json:"life_cycle"` // "on-demand" or "spot"
	LaunchedAt   time.Time         `json:"launched_at"`
	UserData     []byte            `json:"user_data,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"` // nil: not shown
	Spot         *SpotAction       `json:"spot,omitempty"` // nil: no notice yet
	Role         *Role             `json:"role,omitempty"` // nil: no instance profile

	TokensRequired bool `json:"tokens_required"` // version 2 only
	Disabled       bool `json:"disabled"`
}

// SpotAction is the notice that the machine will be taken away.
type SpotAction struct {
	Action string    `json:"action"` // "terminate" or "stop"
	Time   time.Time `json:"time"`
}

// Role gives the machine credentials.
type Role struct {
	Name       string `json:"name"`
	ProfileARN string `json:"profile_arn"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	Token      string `json:"token"`
}

func (m Metadata) expand(text string) string {
	return strings.NewReplacer(
		"${instance-id}", m.InstanceID,
		"${instance-type}", m.InstanceType,
		"${local-ipv4}", m.LocalIPv4,
		"${availability-zone}", m.Zone,
		"${region}", m.Region,
	).Replace(text)
}

// tree is what is read below /latest, by its path.
func (m Metadata) tree(now time.Time) map[string]string {
	const data = "meta-data/"
	tree := map[string]string{
		data + "ami-id":                         m.ImageID,
		data + "hostname":                       m.Hostname,
		data + "instance-id":                    m.InstanceID,
		data + "instance-life-cycle":            m.LifeCycle,
		data + "instance-type":                  m.InstanceType,
		data + "local-hostname":                 m.Hostname,
		data + "local-ipv4":                     m.LocalIPv4,
		data + "placement/availability-zone":    m.Zone,
		data + "placement/availability-zone-id": m.ZoneID,
		data + "placement/region":               m.Region,
		"dynamic/instance-identity/document":    m.identity(),
	}
	if len(m.UserData) > 0 {
		tree["user-data"] = string(m.UserData)
	}
	for key, value := range m.Tags {
		tree[data+"tags/instance/"+key] = value
	}
	if m.Spot != nil {
		at := m.Spot.Time.UTC().Format(time.RFC3339)
		tree[data+"spot/instance-action"] = jsonText(map[string]string{"action": m.Spot.Action, "time": at})
		if m.Spot.Action == "terminate" {
			tree[data+"spot/termination-time"] = at
		}
	}
	if m.Role != nil {
		tree[data+"iam/info"] = jsonText(map[string]string{
			"Code": "Success", "InstanceProfileArn": m.Role.ProfileARN, "LastUpdated": now.UTC().Format(time.RFC3339),
		})
		tree[data+"iam/security-credentials/"+m.Role.Name] = m.Role.credentials(now)
	}
	return tree
}

// credentials are as good as those of the stand-in, and say to be read again within
// hours, as AWS's do.
func (r Role) credentials(now time.Time) string {
	const validFor = 6 * time.Hour
	return jsonText(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": now.UTC().Format(time.RFC3339),
		"AccessKeyId": r.AccessKey, "SecretAccessKey": r.SecretKey, "Token": r.Token,
		"Expiration": now.Add(validFor).UTC().Format(time.RFC3339),
	})
}

func (m Metadata) identity() string {
	return jsonText(map[string]string{
		"accountId": m.AccountID, "architecture": "x86_64", "availabilityZone": m.Zone,
		"imageId": m.ImageID, "instanceId": m.InstanceID, "instanceType": m.InstanceType,
		"pendingTime": m.LaunchedAt.UTC().Format(time.RFC3339), "privateIp": m.LocalIPv4,
		"region": m.Region, "version": "2017-09-30",
	})
}
