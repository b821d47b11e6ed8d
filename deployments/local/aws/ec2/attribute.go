package ec2

import (
	"context"
	"encoding/base64"
)

type attributeRequest struct {
	InstanceID string `wire:"InstanceId"`
	Attribute  string
	DryRun     bool
}

type attributeResponse struct {
	InstanceID       string         `wire:"instanceId"`
	UserData         *textAttribute `wire:"userData"`
	InstanceType     *textAttribute `wire:"instanceType"`
	Protected        *boolAttribute `wire:"disableApiTermination"`
	ShutdownBehavior *textAttribute `wire:"instanceInitiatedShutdownBehavior"`
}

type textAttribute struct {
	Value string `wire:"value"`
}

type boolAttribute struct {
	Value bool `wire:"value"`
}

func (e *EC2) describeInstanceAttribute(_ context.Context, in attributeRequest) (attributeResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.instance(in.InstanceID)
	if err != nil {
		return attributeResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return attributeResponse{}, err
	}
	out := attributeResponse{InstanceID: i.ID}
	switch in.Attribute {
	case "userData":
		out.UserData = &textAttribute{i.Launch.UserData}
	case "instanceType":
		out.InstanceType = &textAttribute{i.Launch.InstanceType}
	case "disableApiTermination":
		out.Protected = &boolAttribute{i.Protected}
	case "instanceInitiatedShutdownBehavior":
		out.ShutdownBehavior = &textAttribute{i.shutdownBehavior()}
	default:
		return attributeResponse{}, fail(invalidParameterValue, "Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

func (i *instance) shutdownBehavior() string {
	if i.Launch.ShutdownBehavior == "" {
		return "stop"
	}
	return i.Launch.ShutdownBehavior
}

type modifyRequest struct {
	InstanceID   string     `wire:"InstanceId"`
	Protected    *boolValue `wire:"DisableApiTermination"`
	InstanceType *textValue
	UserData     *textValue
	DryRun       bool
}

type boolValue struct {
	Value bool
}

type textValue struct {
	Value string
}

// done answers with nothing but that it was done.
type done struct {
	Return bool `wire:"return"`
}

func (e *EC2) modifyInstanceAttribute(_ context.Context, in modifyRequest) (done, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.instance(in.InstanceID)
	if err != nil {
		return done{}, err
	}
	changed := *i
	if in.Protected != nil {
		if i.Launch.spot() && in.Protected.Value {
			return done{}, fail(unsupported, "A spot instance cannot be protected from termination.")
		}
		changed.Protected = in.Protected.Value
	}
	if in.InstanceType != nil || in.UserData != nil {
		if i.State != stopped {
			return done{}, fail(incorrectInstanceState, "The instance '%s' is not in the 'stopped' state.", i.ID)
		}
		if err := modifyStopped(&changed, in); err != nil {
			return done{}, err
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return done{}, err
	}
	*i = changed
	return done{true}, e.save()
}

// modifyStopped changes what an instance reads at its next start only.
func modifyStopped(i *instance, in modifyRequest) error {
	if in.InstanceType != nil {
		if _, known := findType(in.InstanceType.Value); !known {
			return fail(invalidParameterValue, "Invalid value '%s' for InstanceType.", in.InstanceType.Value)
		}
		i.Launch.InstanceType = in.InstanceType.Value
	}
	if in.UserData != nil {
		// The form carries the text packed once, as at a launch.
		if _, err := base64.StdEncoding.DecodeString(in.UserData.Value); err != nil {
			return fail(invalidUserDataMalformed, "Invalid BASE64 encoding of user data.")
		}
		i.Launch.UserData = in.UserData.Value
		_, err := i.Launch.decodedUserData()
		return err
	}
	return nil
}
