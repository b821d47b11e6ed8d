package aws

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"maskfleet/deployments/local/aws/cloudwatch"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
	"maskfleet/deployments/local/aws/wire"
)

// TestEveryErrorCodeIsAWSs: what a model does not name stands in AWS's references.
func TestEveryErrorCodeIsAWSs(t *testing.T) {
	t.Parallel()
	own := map[string][]string{"ec2": ec2.Codes(), "elbv2": elb.Codes(), "cloudwatch": cloudwatch.Codes()}
	documented := documentedCodes()
	used := make(map[string]bool)
	for _, service := range services() {
		m := readModel(t, service.Model)
		known := m.codes(service)
		for _, code := range slices.Concat(own[service.Model], wire.CommonCodes(service.Dialect)) {
			_, inReference := documented[code]
			used[code] = true
			switch named := known[code] || strings.Contains(m.text, code); {
			case !named && !inReference:
				t.Errorf("%s answers with %s, which AWS does not name", service.Name, code)
			case named && inReference && service.Model == "ec2":
				t.Errorf("%s stands in the model of %s: it need not stand in this test", code, service.Name)
			}
		}
	}
	for code, page := range documented {
		if !used[code] {
			t.Errorf("no service answers with %s (%s) any more", code, page)
		}
	}
}

// TestCodesAreListed: one that is left out of its package's list is compared with
// nothing.
func TestCodesAreListed(t *testing.T) {
	t.Parallel()
	constant := regexp.MustCompile(`(?m)^\t\w+\s+(?:code )?= "([A-Za-z.]+)"`)
	for file, listed := range map[string][]string{
		"ec2/errors.go":        ec2.Codes(),
		"elb/errors.go":        append(elb.Codes(), wire.CommonCodes(wire.Query)...),
		"cloudwatch/errors.go": append(cloudwatch.Codes(), wire.CommonCodes(wire.Query)...),
		"wire/error.go":        append(wire.CommonCodes(wire.EC2), wire.CommonCodes(wire.Query)...),
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := constant.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s has no codes", file)
		}
		for _, match := range found {
			if !slices.Contains(listed, match[1]) {
				t.Errorf("%s has the code %s, which is not listed", file, match[1])
			}
		}
	}
}

// codes are those of the operations that are there.
func (m model) codes(s wire.Service) map[string]bool {
	known := make(map[string]bool)
	for _, operation := range s.Operations {
		for _, reference := range m.Operations[operation.Name].Errors {
			known[m.Shapes[reference.Shape].Error.Code] = true
			known[reference.Shape] = true
		}
	}
	return known
}

// documentedCodes are named by AWS's references only, most of them because EC2's model
// names no errors at all.
func documentedCodes() map[string]string {
	const (
		ofEC2  = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
		common = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html"
	)
	documented := make(map[string]string)
	for _, code := range []string{
		"IdempotentInstanceTerminated", "IdempotentParameterMismatch", "InstanceLimitExceeded", "InvalidAMIID.Malformed",
		"InvalidAMIID.NotFound", "InvalidGroup.NotFound", "InvalidID", "InvalidInstanceType", "InvalidKeyPair.NotFound",
		"InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound",
		"InvalidLaunchTemplateName.AlreadyExistsException", "InvalidLaunchTemplateName.NotFoundException",
		"InvalidParameterValue", "InvalidUserData.Malformed", "InvalidVpcID.NotFound", "MissingParameter",
		"OperationNotPermitted", "RequestExpired", "RequestLimitExceeded", "TagLimitExceeded", "UnknownParameter",
		"UnsupportedOperation",
	} {
		documented[code] = ofEC2
	}
	for _, code := range []string{
		"ExpiredToken", "InternalFailure", "InvalidAction", "InvalidClientTokenId", "MalformedQueryString",
		"MissingAuthenticationToken", "SignatureDoesNotMatch", "Throttling", "ValidationError",
	} {
		documented[code] = common
	}
	return documented
}
