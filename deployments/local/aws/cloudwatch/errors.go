package cloudwatch

import (
	"fmt"

	"maskfleet/deployments/local/aws/wire"
)

// code is what CloudWatch calls an error in the query protocol; in CBOR it goes by
// the name of its shape.
type code string

const (
	invalidCombination code = "InvalidParameterCombination"
	invalidNextToken   code = "InvalidNextToken"
	invalidValue       code = "InvalidParameterValue"
	missingParameter   code = "MissingParameter"
	validationError    code = "ValidationError" // GetMetricData's word for all that is wrong with a question
)

// Codes lists all that this package answers with and AWS's model names.
func Codes() []string {
	return []string{string(invalidCombination), string(invalidNextToken), string(invalidValue), string(missingParameter)}
}

// shape is the error's name in CloudWatch's model.
func (c code) shape() string {
	switch c {
	case missingParameter:
		return "MissingRequiredParameterException"
	case invalidNextToken, validationError:
		return string(c)
	default:
		return string(c) + "Exception"
	}
}

func fail(c code, format string, args ...any) error {
	return &wire.Error{Code: string(c), Shape: c.shape(), Message: fmt.Sprintf(format, args...)}
}
