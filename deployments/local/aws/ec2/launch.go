package ec2

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// mostUserData is EC2's limit, in bytes before they are packed for the wire.
const mostUserData = 16 << 10

// launch is what an instance is launched with; a template holds the same.
type launch struct {
	ImageID            string `wire:"ImageId"`
	InstanceType       string
	KeyName            string
	UserData           string               // base64
	SecurityGroupIDs   []string             `wire:"SecurityGroupId"`
	SecurityGroups     []string             `wire:"SecurityGroup"`
	TagSpecifications  []tagSpecification   `wire:"TagSpecification"`
	NetworkInterfaces  []networkRequest     `wire:"NetworkInterface"`
	BlockDevices       []blockDeviceRequest `wire:"BlockDeviceMapping"`
	Placement          *placementRequest
	Monitoring         *enabled
	IAMInstanceProfile *profileRequest `wire:"IamInstanceProfile"`
	MetadataOptions    *metadataRequest
	Market             *marketRequest `wire:"InstanceMarketOptions"`
	ShutdownBehavior   string         `wire:"InstanceInitiatedShutdownBehavior"`
	Protected          *bool          `wire:"DisableApiTermination"`
	EBSOptimized       *bool          `wire:"EbsOptimized"`
}

type enabled struct {
	Enabled bool
}

type tagSpecification struct {
	ResourceType string
	Tags         []tag `wire:"Tag"`
}

type tag struct {
	Key, Value string
}

type placementRequest struct {
	AvailabilityZone string
	Tenancy          string
}

type networkRequest struct {
	DeviceIndex              int
	SubnetID                 string   `wire:"SubnetId"`
	SecurityGroupIDs         []string `wire:"SecurityGroupId"`
	AssociatePublicIPAddress *bool    `wire:"AssociatePublicIpAddress"`
	DeleteOnTermination      *bool
}

type blockDeviceRequest struct {
	DeviceName string
	EBS        *volumeRequest `wire:"Ebs"`
}

type volumeRequest struct {
	VolumeSize          int
	VolumeType          string
	DeleteOnTermination *bool
	Encrypted           *bool
}

type profileRequest struct {
	ARN  string `wire:"Arn"`
	Name string
}

type metadataRequest struct {
	HTTPTokens              string `wire:"HttpTokens"`
	HTTPPutResponseHopLimit int    `wire:"HttpPutResponseHopLimit"`
	HTTPEndpoint            string `wire:"HttpEndpoint"`
	InstanceMetadataTags    string
}

type marketRequest struct {
	MarketType  string
	SpotOptions *spotRequest
}

type spotRequest struct {
	MaxPrice                     string
	SpotInstanceType             string
	InstanceInterruptionBehavior string
}

// over gives what is asked for at a launch precedence over its template. Tags of both
// count, as on EC2.
func (l launch) over(t launch) launch {
	for _, field := range []struct{ asked, template *string }{
		{&l.ImageID, &t.ImageID},
		{&l.InstanceType, &t.InstanceType},
		{&l.KeyName, &t.KeyName},
		{&l.UserData, &t.UserData},
		{&l.ShutdownBehavior, &t.ShutdownBehavior},
	} {
		if *field.asked == "" {
			*field.asked = *field.template
		}
	}
	if len(l.SecurityGroupIDs)+len(l.SecurityGroups) == 0 {
		l.SecurityGroupIDs, l.SecurityGroups = t.SecurityGroupIDs, t.SecurityGroups
	}
	if len(l.NetworkInterfaces) == 0 {
		l.NetworkInterfaces = t.NetworkInterfaces
	}
	if len(l.BlockDevices) == 0 {
		l.BlockDevices = t.BlockDevices
	}
	l.TagSpecifications = slices.Concat(t.TagSpecifications, l.TagSpecifications)
	l.Placement = or(l.Placement, t.Placement)
	l.Monitoring = or(l.Monitoring, t.Monitoring)
	l.IAMInstanceProfile = or(l.IAMInstanceProfile, t.IAMInstanceProfile)
	l.MetadataOptions = or(l.MetadataOptions, t.MetadataOptions)
	l.Market = or(l.Market, t.Market)
	l.Protected = or(l.Protected, t.Protected)
	l.EBSOptimized = or(l.EBSOptimized, t.EBSOptimized)
	return l
}

func or[T any](asked, template *T) *T {
	if asked != nil {
		return asked
	}
	return template
}

func isTrue(b *bool) bool { return b != nil && *b }

// spot says that the instance may be taken away.
func (l launch) spot() bool { return l.Market != nil && l.Market.MarketType == "spot" }

// subnet is asked for in one of two ways, or not at all.
func (l launch) subnet() string {
	if len(l.NetworkInterfaces) > 0 {
		return l.NetworkInterfaces[0].SubnetID
	}
	return ""
}

func (l launch) groups() []string {
	if len(l.NetworkInterfaces) > 0 {
		return l.NetworkInterfaces[0].SecurityGroupIDs
	}
	return l.SecurityGroupIDs
}

// decodedUserData is what the instance reads.
func (l launch) decodedUserData() ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(l.UserData)
	if err != nil {
		return nil, fail(invalidUserDataMalformed, "Invalid BASE64 encoding of user data.")
	}
	if len(data) > mostUserData {
		return nil, fail(invalidParameterValue, "User data is limited to %d bytes", mostUserData)
	}
	return data, nil
}

// tagsFor are those asked for one kind of resource.
func tagsFor(kind string, specifications []tagSpecification) map[string]string {
	tags := make(map[string]string)
	for _, specification := range specifications {
		if specification.ResourceType != kind {
			continue
		}
		for _, t := range specification.Tags {
			tags[t.Key] = t.Value
		}
	}
	return tags
}

// check refuses what no instance can be launched with.
func (e *EC2) check(l launch) error {
	if l.ImageID == "" {
		return fail(missingParameter, "The request must contain the parameter ImageId")
	}
	if _, err := e.image(l.ImageID); err != nil {
		return err
	}
	if _, known := findType(l.InstanceType); !known {
		return fail(invalidParameterValue, "Invalid value '%s' for InstanceType.", l.InstanceType)
	}
	if _, err := l.decodedUserData(); err != nil {
		return err
	}
	if l.KeyName != "" && !slices.Contains(e.config.KeyPairs, l.KeyName) {
		return fail(invalidKeyPairNotFound, "The key pair '%s' does not exist", l.KeyName)
	}
	for _, group := range l.groups() {
		if group != e.group() {
			return fail(invalidGroupNotFound, "The security group '%s' does not exist", group)
		}
	}
	for _, group := range l.SecurityGroups {
		if group != groupName {
			return fail(invalidGroupNotFound, "The security group '%s' does not exist in default VPC '%s'", group, e.vpc())
		}
	}
	return e.checkOptions(l)
}

func (e *EC2) checkOptions(l launch) error {
	if len(l.NetworkInterfaces) > 1 || len(l.NetworkInterfaces) == 1 && l.NetworkInterfaces[0].DeviceIndex != 0 {
		return fail(unsupported, "The stand-in gives an instance one network interface.")
	}
	if p := l.Placement; p != nil && p.Tenancy != "" && p.Tenancy != "default" {
		return fail(unsupported, "The stand-in knows the tenancy default only.")
	}
	for _, choice := range []struct {
		name, value string
		allowed     []string
	}{
		{"InstanceInitiatedShutdownBehavior", l.ShutdownBehavior, []string{"", "stop", "terminate"}},
		{"InstanceMarketOptions.MarketType", marketType(l), []string{"", "spot"}},
		{"MetadataOptions.HttpTokens", metadataChoice(l, func(m metadataRequest) string { return m.HTTPTokens }), []string{"", "optional", "required"}},
		{"MetadataOptions.HttpEndpoint", metadataChoice(l, func(m metadataRequest) string { return m.HTTPEndpoint }), []string{"", "enabled", "disabled"}},
		{"MetadataOptions.InstanceMetadataTags", metadataChoice(l, func(m metadataRequest) string { return m.InstanceMetadataTags }), []string{"", "enabled", "disabled"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return fail(invalidParameterValue, "Value (%s) for parameter %s is invalid.", choice.value, choice.name)
		}
	}
	if l.spot() && isTrue(l.Protected) {
		return fail(invalidCombination, "The parameter DisableApiTermination cannot be used with spot instances.")
	}
	if p := l.IAMInstanceProfile; p != nil {
		if _, err := e.role(*p); err != nil {
			return err
		}
	}
	return checkTags(tagsFor("instance", l.TagSpecifications))
}

func marketType(l launch) string {
	if l.Market == nil {
		return ""
	}
	return l.Market.MarketType
}

func metadataChoice(l launch, of func(metadataRequest) string) string {
	if l.MetadataOptions == nil {
		return ""
	}
	return of(*l.MetadataOptions)
}

// fingerprint tells whether two calls ask for the same.
func fingerprint(request any) string {
	text, err := json.Marshal(request)
	if err != nil {
		panic(err) // plain structures always can be
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
