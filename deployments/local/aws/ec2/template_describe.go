package ec2

import (
	"context"
	"time"
)

type templateDescription struct {
	ID        string           `wire:"launchTemplateId"`
	Name      string           `wire:"launchTemplateName"`
	CreatedAt time.Time        `wire:"createTime"`
	CreatedBy string           `wire:"createdBy"`
	Default   int              `wire:"defaultVersionNumber"`
	Latest    int              `wire:"latestVersionNumber"`
	Tags      []tagDescription `wire:"tagSet"`
}

func (e *EC2) describeTemplate(t *template) templateDescription {
	return templateDescription{t.ID, t.Name, t.CreatedAt, e.creator(), t.Default, t.latest(), describeTags(t.Tags)}
}

func (e *EC2) creator() string { return "arn:aws:iam::" + e.config.AccountID + ":root" }

type versionDescription struct {
	TemplateID   string             `wire:"launchTemplateId"`
	TemplateName string             `wire:"launchTemplateName"`
	Number       int                `wire:"versionNumber"`
	Description  string             `wire:"versionDescription"`
	CreatedAt    time.Time          `wire:"createTime"`
	CreatedBy    string             `wire:"createdBy"`
	Default      bool               `wire:"defaultVersion"`
	Data         *launchDescription `wire:"launchTemplateData"`
}

// launchDescription is a launch as answers spell it.
type launchDescription struct {
	ImageID           string                     `wire:"imageId"`
	InstanceType      string                     `wire:"instanceType"`
	KeyName           string                     `wire:"keyName"`
	UserData          string                     `wire:"userData"`
	ShutdownBehavior  string                     `wire:"instanceInitiatedShutdownBehavior"`
	Protected         *bool                      `wire:"disableApiTermination"`
	EBSOptimized      *bool                      `wire:"ebsOptimized"`
	SecurityGroupIDs  []string                   `wire:"securityGroupIdSet"`
	SecurityGroups    []string                   `wire:"securityGroupSet"`
	TagSpecifications []tagSpecificationAnswer   `wire:"tagSpecificationSet"`
	Placement         *placement                 `wire:"placement"`
	Monitoring        *enabledAnswer             `wire:"monitoring"`
	Profile           *profileAnswer             `wire:"iamInstanceProfile"`
	MetadataOptions   *launchMetadataDescription `wire:"metadataOptions"`
	Market            *marketAnswer              `wire:"instanceMarketOptions"`
}

type tagSpecificationAnswer struct {
	ResourceType string           `wire:"resourceType"`
	Tags         []tagDescription `wire:"tagSet"`
}

type enabledAnswer struct {
	Enabled bool `wire:"enabled"`
}

type profileAnswer struct {
	ARN  string `wire:"arn"`
	Name string `wire:"name"`
}

type launchMetadataDescription struct {
	HTTPTokens           string `wire:"httpTokens"`
	HopLimit             int    `wire:"httpPutResponseHopLimit"`
	HTTPEndpoint         string `wire:"httpEndpoint"`
	InstanceMetadataTags string `wire:"instanceMetadataTags"`
}

type marketAnswer struct {
	MarketType string `wire:"marketType"`
}

func (e *EC2) describeVersion(t *template, v templateVersion) versionDescription {
	return versionDescription{
		TemplateID: t.ID, TemplateName: t.Name, Number: v.Number, Description: v.Description,
		CreatedAt: v.CreatedAt, CreatedBy: e.creator(), Default: v.Number == t.Default, Data: describeLaunch(v.Data),
	}
}

func describeLaunch(l launch) *launchDescription {
	d := &launchDescription{
		ImageID: l.ImageID, InstanceType: l.InstanceType, KeyName: l.KeyName, UserData: l.UserData,
		ShutdownBehavior: l.ShutdownBehavior, Protected: l.Protected, EBSOptimized: l.EBSOptimized,
		SecurityGroupIDs: l.SecurityGroupIDs, SecurityGroups: l.SecurityGroups,
	}
	for _, specification := range l.TagSpecifications {
		answer := tagSpecificationAnswer{ResourceType: specification.ResourceType}
		for _, t := range specification.Tags {
			answer.Tags = append(answer.Tags, tagDescription(t))
		}
		d.TagSpecifications = append(d.TagSpecifications, answer)
	}
	if l.Placement != nil {
		d.Placement = &placement{l.Placement.AvailabilityZone, l.Placement.Tenancy}
	}
	if l.Monitoring != nil {
		d.Monitoring = &enabledAnswer{l.Monitoring.Enabled}
	}
	if l.IAMInstanceProfile != nil {
		d.Profile = &profileAnswer{l.IAMInstanceProfile.ARN, l.IAMInstanceProfile.Name}
	}
	if m := l.MetadataOptions; m != nil {
		d.MetadataOptions = &launchMetadataDescription{m.HTTPTokens, m.HTTPPutResponseHopLimit, m.HTTPEndpoint, m.InstanceMetadataTags}
	}
	if l.Market != nil {
		d.Market = &marketAnswer{l.Market.MarketType}
	}
	return d
}

type describeVersionsRequest struct {
	ID         string   `wire:"LaunchTemplateId"`
	Name       string   `wire:"LaunchTemplateName"`
	Versions   []string `wire:"LaunchTemplateVersion"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type describeVersionsResponse struct {
	Versions  []versionDescription `wire:"launchTemplateVersionSet"`
	NextToken string               `wire:"nextToken"`
}

func (e *EC2) describeTemplateVersions(_ context.Context, in describeVersionsRequest) (describeVersionsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.template(templateReference{ID: in.ID, Name: in.Name})
	if err != nil {
		return describeVersionsResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return describeVersionsResponse{}, err
	}
	versions := t.Versions
	if len(in.Versions) > 0 {
		versions = nil
		for _, name := range in.Versions {
			v, err := t.version(name)
			if err != nil {
				return describeVersionsResponse{}, err
			}
			versions = append(versions, v)
		}
	}
	page, next, err := paged(versions, in.MaxResults, in.NextToken)
	out := describeVersionsResponse{Versions: []versionDescription{}, NextToken: next}
	for _, v := range page {
		out.Versions = append(out.Versions, e.describeVersion(t, v))
	}
	return out, err
}
