package ec2

import (
	"fmt"
	"net/http"

	"maskfleet/deployments/local/aws/wire"
)

// code is what EC2 calls an error.
type code string

const (
	dryRunOperation            code = "DryRunOperation"
	idempotentMismatch         code = "IdempotentParameterMismatch"
	idempotentTerminated       code = "IdempotentInstanceTerminated"
	incorrectInstanceState     code = "IncorrectInstanceState"
	insufficientCapacity       code = "InsufficientInstanceCapacity"
	instanceLimitExceeded      code = "InstanceLimitExceeded"
	invalidImageMalformed      code = "InvalidAMIID.Malformed"
	invalidImageNotFound       code = "InvalidAMIID.NotFound"
	invalidGroupNotFound       code = "InvalidGroup.NotFound"
	invalidID                  code = "InvalidID"
	invalidInstanceMalformed   code = "InvalidInstanceID.Malformed"
	invalidInstanceNotFound    code = "InvalidInstanceID.NotFound"
	invalidInstanceType        code = "InvalidInstanceType"
	invalidKeyPairNotFound     code = "InvalidKeyPair.NotFound"
	invalidTemplateIDMalformed code = "InvalidLaunchTemplateId.Malformed"
	invalidTemplateIDNotFound  code = "InvalidLaunchTemplateId.NotFound"
	invalidTemplateNameExists  code = "InvalidLaunchTemplateName.AlreadyExistsException"
	invalidTemplateNameMissing code = "InvalidLaunchTemplateName.NotFoundException"
	invalidTemplateVersion     code = "InvalidLaunchTemplateId.VersionNotFound"
	invalidCombination         code = "InvalidParameterCombination"
	invalidParameterValue      code = "InvalidParameterValue"
	invalidSubnetNotFound      code = "InvalidSubnetID.NotFound"
	invalidUserDataMalformed   code = "InvalidUserData.Malformed"
	invalidVPCNotFound         code = "InvalidVpcID.NotFound"
	missingParameter           code = "MissingParameter"
	operationNotPermitted      code = "OperationNotPermitted"
	tagLimitExceeded           code = "TagLimitExceeded"
	unsupported                code = "UnsupportedOperation"
)

// Codes lists all that this package answers with.
func Codes() []string {
	var all []string
	for _, c := range []code{
		dryRunOperation, idempotentMismatch, idempotentTerminated, incorrectInstanceState,
		insufficientCapacity, instanceLimitExceeded, invalidImageMalformed, invalidImageNotFound,
		invalidGroupNotFound, invalidID, invalidInstanceMalformed, invalidInstanceNotFound, invalidInstanceType,
		invalidKeyPairNotFound, invalidTemplateIDMalformed, invalidTemplateIDNotFound,
		invalidTemplateNameExists, invalidTemplateNameMissing, invalidTemplateVersion,
		invalidCombination, invalidParameterValue, invalidSubnetNotFound,
		invalidUserDataMalformed, invalidVPCNotFound, missingParameter, operationNotPermitted, tagLimitExceeded, unsupported,
	} {
		all = append(all, string(c))
	}
	return all
}

func (c code) status() int {
	switch c {
	case dryRunOperation:
		return http.StatusPreconditionFailed
	case insufficientCapacity:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

func fail(c code, format string, args ...any) error {
	return &wire.Error{Code: string(c), Message: fmt.Sprintf(format, args...), Status: c.status()}
}

// dryRun ends a call that was to be tried only.
func dryRun(asked bool) error { //nolint:revive // it is the caller's own question
	if !asked {
		return nil
	}
	return fail(dryRunOperation, "Request would have succeeded, but DryRun flag is set.")
}
