package elb

import (
	"fmt"
	"net/http"

	"maskfleet/deployments/local/aws/wire"
)

// code is what Elastic Load Balancing calls an error.
type code string

const (
	duplicateListener     code = "DuplicateListener"
	duplicateLoadBalancer code = "DuplicateLoadBalancerName"
	duplicateTargetGroup  code = "DuplicateTargetGroupName"
	invalidConfiguration  code = "InvalidConfigurationRequest"
	invalidTarget         code = "InvalidTarget"
	listenerNotFound      code = "ListenerNotFound"
	loadBalancerNotFound  code = "LoadBalancerNotFound"
	resourceInUse         code = "ResourceInUse"
	subnetNotFound        code = "SubnetNotFound"
	targetGroupNotFound   code = "TargetGroupNotFound"
	targetGroupInUse      code = "TargetGroupAssociationLimit"
	tooManyTags           code = "TooManyTags"
	validationError       code = "ValidationError"
)

// Codes lists all that this package answers with and AWS's model names.
func Codes() []string {
	var all []string
	for _, c := range []code{
		duplicateListener, duplicateLoadBalancer, duplicateTargetGroup, invalidConfiguration, invalidTarget,
		listenerNotFound, loadBalancerNotFound, resourceInUse, subnetNotFound, targetGroupNotFound,
		targetGroupInUse, tooManyTags,
	} {
		all = append(all, string(c))
	}
	return all
}

func fail(c code, format string, args ...any) error {
	return &wire.Error{Code: string(c), Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}
