package fleet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// recordLimit bounds the writing down of an answer, which goes on although who asked
// has gone.
const recordLimit = 5 * time.Second

// request is all that is asked of EC2 in one launch. It is written down, so that it
// can be asked again in the same words: EC2 takes others for another request.
type request struct {
	offer
	Count           int               `json:"count"`
	Token           string            `json:"token"`
	Template        string            `json:"template,omitempty"`
	TemplateVersion string            `json:"template_version,omitempty"`
	Image           string            `json:"image,omitempty"`
	SecurityGroups  []string          `json:"security_groups,omitempty"`
	KeyPair         string            `json:"key_pair,omitempty"`
	Profile         string            `json:"profile,omitempty"`
	UserData        string            `json:"user_data,omitempty"`
	Tags            map[string]string `json:"tags"`
}

// launch writes an order down, asks EC2 for it and writes down what it answered.
func (f *Fleet) launch(ctx context.Context, lease Lease, o order, attempt int) ([]string, error) {
	if err := lease.outlasts(f.cfg.CallTimeout); err != nil { // before anything is written that another had to settle
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("naming a launch: %w", err)
	}
	r := f.request(id, fmt.Sprintf("%s-%d-%d-%d", f.cfg.Pool, lease.Epoch, f.sequence, attempt), o)
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing launch %s: %w", r.Token, err)
	}
	err = f.ledger.BeginLaunch(ctx, jobstore.LaunchIntent{
		ID: id, Epoch: lease.Epoch, Sequence: f.sequence, Attempt: attempt,
		Type: o.Type, Zone: o.Zone, Wanted: o.count, ClientToken: r.Token, Request: text,
	})
	if err != nil {
		return nil, err
	}
	ids, err := f.runInstances(ctx, lease, r)
	return ids, f.answer(ctx, id, r, ids, err)
}

func (f *Fleet) request(id uuid.UUID, token string, o order) request {
	r := request{
		offer: o.offer, Count: o.count, Token: token,
		Template: f.cfg.Template, Image: f.cfg.Image, SecurityGroups: f.cfg.SecurityGroups,
		KeyPair: f.cfg.KeyPair, Profile: f.cfg.Profile, UserData: f.cfg.UserData,
		Tags: map[string]string{
			tagName: f.cfg.Pool + "-worker", tagPool: f.cfg.Pool, tagIntent: id.String(), tagVersion: f.cfg.version(),
		},
	}
	if r.Template != "" {
		r.TemplateVersion = f.cfg.TemplateVersion
	}
	return r
}

// answer writes down what came of a launch, if that is certain.
func (f *Fleet) answer(ctx context.Context, id uuid.UUID, r request, ids []string, err error) error {
	switch {
	case err == nil:
		return f.launched(ctx, id, r, ids)
	case conclusive(err):
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
		defer cancel()
		_, unrecorded := f.ledger.FailLaunch(ctx, id, err.Error())
		return errors.Join(err, unrecorded)
	default:
		f.leftOpen(ctx, r, err)
		return err
	}
}

// launched writes down what EC2 gave.
func (f *Fleet) launched(ctx context.Context, id uuid.UUID, r request, ids []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	f.log.InfoContext(ctx, "instances launched", "instance_ids", ids, "type", r.Type, "zone", r.Zone, "wanted", r.Count, "client_token", r.Token)
	_, err := f.ledger.RecordLaunch(ctx, id, ids)
	return err
}

func (f *Fleet) leftOpen(ctx context.Context, r request, err error) {
	f.log.WarnContext(ctx, "launch left open", "client_token", r.Token, "err", err)
}

func (f *Fleet) runInstances(ctx context.Context, lease Lease, r request) (ids []string, err error) {
	err = f.change(ctx, lease, "run instances", func(ctx context.Context) error {
		out, err := f.ec2.RunInstances(ctx, r.input())
		if err != nil {
			return err
		}
		for _, i := range out.Instances {
			ids = append(ids, aws.ToString(i.InstanceId))
		}
		return nil
	})
	return ids, err
}

func (r request) input() *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ClientToken:  &r.Token,
		InstanceType: types.InstanceType(r.Type),
		MinCount:     aws.Int32(1),
		MaxCount:     aws.Int32(int32(r.Count)),
		ImageId:      set(r.Image),
		KeyName:      set(r.KeyPair),
		SubnetId:     set(r.Subnet),
		// Detailed: readings of CPU every minute instead of every five.
		Monitoring: &types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(true)},
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(1), HttpEndpoint: types.InstanceMetadataEndpointStateEnabled,
		},
		// A machine that switches itself off must not be left behind for the stopped pool.
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		SecurityGroupIds:                  r.SecurityGroups,
	}
	if r.Subnet == "" {
		in.Placement = &types.Placement{AvailabilityZone: &r.Zone}
	}
	if r.Template != "" {
		in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: &r.Template, Version: &r.TemplateVersion}
	}
	if r.Profile != "" {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &r.Profile}
	}
	if r.UserData != "" {
		in.UserData = aws.String(base64.StdEncoding.EncodeToString([]byte(r.UserData)))
	}
	tags := types.TagSpecification{ResourceType: types.ResourceTypeInstance}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		tags.Tags = append(tags.Tags, types.Tag{Key: aws.String(key), Value: aws.String(r.Tags[key])})
	}
	in.TagSpecifications = []types.TagSpecification{tags}
	return in
}

// set leaves out what is empty.
func set(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}
