package aws

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/cloudwatch"
	"maskfleet/deployments/local/aws/ec2"
	"maskfleet/deployments/local/aws/elb"
	"maskfleet/deployments/local/aws/wire"
)

// models is where Debian's python3-botocore keeps the service models that AWS
// publishes.
const models = "/usr/lib/python3/dist-packages/botocore/data"

// model is what AWS says of one service.
type model struct {
	Metadata   struct{ SigningName, EndpointPrefix, APIVersion, XMLNamespace string }
	Operations map[string]modelOperation
	Shapes     map[string]modelShape

	text string // the whole, to be searched
}

type modelOperation struct {
	Input, Output modelReference
	Errors        []modelReference
}

type modelReference struct {
	Shape, LocationName, QueryName string
}

type modelShape struct {
	Type    string
	Members map[string]modelReference
	Member  modelReference
	Enum    []string
	Error   struct{ Code string }
}

func readModel(t *testing.T, service string) model {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(models, service, "*", "service-2.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no model of %s below %s: install the package python3-botocore (%v)", service, models, err)
	}
	slices.Sort(files)
	text, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	m := model{text: string(text)}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// services are those of a stand-in that was never opened: enough to be asked what
// they could do.
func services() []wire.Service {
	return (&AWS{compute: &ec2.EC2{}, balance: &elb.ELB{}, metrics: &cloudwatch.CloudWatch{}}).Services()
}

// TestEveryNameIsAWSs holds every parameter that the stand-in reads and every element
// that it can send against the models of AWS.
func TestEveryNameIsAWSs(t *testing.T) {
	t.Parallel()
	for _, service := range services() {
		m := readModel(t, service.Model)
		if m.Metadata.APIVersion != service.Version {
			t.Errorf("%s has the version %s, the model %s", service.Name, service.Version, m.Metadata.APIVersion)
		}
		if namespace := strings.TrimSuffix(service.Namespace, "/"); !strings.HasPrefix(namespace, m.Metadata.XMLNamespace) && !strings.HasPrefix(m.Metadata.XMLNamespace, namespace) {
			t.Errorf("%s has the namespace %s, the model %s", service.Name, service.Namespace, m.Metadata.XMLNamespace)
		}
		for _, operation := range service.Operations {
			known, found := m.Operations[operation.Name]
			if !found {
				t.Errorf("%s has no operation %s", service.Name, operation.Name)
				continue
			}
			c := checker{t, m, service.Dialect == wire.EC2}
			c.check(operation.Name+" in", operation.Input, known.Input.Shape, true)
			c.check(operation.Name+" out", operation.Output, known.Output.Shape, false)
		}
	}
}

type checker struct {
	t     *testing.T
	model model
	ec2   bool
}

// check compares a type of ours with a shape of AWS, and all below them.
func (c checker) check(path string, ours reflect.Type, shape string, input bool) {
	for ours.Kind() == reflect.Pointer {
		ours = ours.Elem()
	}
	theirs := c.model.Shapes[shape]
	silent := shape == "" && c.saysNothing(ours)
	if !silent && !slices.Contains(c.kinds(ours), theirs.Type) {
		c.t.Errorf("%s is a %s here and a %s at AWS", path, ours, theirs.Type)
		return
	}
	switch {
	case ours == reflect.TypeFor[time.Time](), shape == "":
	case ours.Kind() == reflect.Slice:
		c.check(path+"[]", ours.Elem(), theirs.Member.Shape, input)
	case ours.Kind() == reflect.Struct:
		for name, field := range wire.Fields(ours) {
			member, found := c.member(theirs, name, input)
			if full := path + "." + name; !found {
				if !slices.Contains(younger(), full) {
					c.t.Errorf("%s is unknown to AWS", full)
				}
				continue
			}
			c.check(path+"."+name, field, member.Shape, input)
		}
	}
}

// younger are names that AWS has given after Debian took its models, and that the SDK
// of the contract test knows.
func younger() []string {
	return []string{"DescribeImages in.MaxResults", "DescribeImages in.NextToken", "DescribeImages out.nextToken"}
}

// saysNothing: EC2 answers with true where the models have nothing, and its reference
// says so.
func (c checker) saysNothing(ours reflect.Type) bool {
	for name := range wire.Fields(ours) {
		if !c.ec2 || name != "return" {
			return false
		}
	}
	return true
}

// member finds what goes by the name on the wire. EC2's requests name members in
// another way than its answers, and lists by one of their items.
func (c checker) member(shape modelShape, name string, input bool) (modelReference, bool) {
	for key, member := range shape.Members {
		onWire := key
		switch {
		case c.ec2 && input && member.QueryName != "":
			onWire = member.QueryName
		case c.ec2 && input && member.LocationName != "":
			onWire = strings.ToUpper(member.LocationName[:1]) + member.LocationName[1:]
		case c.ec2 && member.LocationName != "":
			onWire = member.LocationName
		}
		if onWire == name {
			return member, true
		}
	}
	return modelReference{}, false
}

// kinds are the model's words for a type of ours.
func (c checker) kinds(ours reflect.Type) []string {
	switch {
	case ours == reflect.TypeFor[time.Time]():
		return []string{"timestamp"}
	case ours.Kind() == reflect.Struct:
		return []string{"structure"}
	case ours.Kind() == reflect.Slice:
		return []string{"list"}
	case ours.Kind() == reflect.Bool:
		return []string{"boolean"}
	case ours.Kind() == reflect.Float64:
		return []string{"double", "float"}
	case ours.Kind() == reflect.Int:
		return []string{"integer", "long"}
	default:
		return []string{"string", "blob"}
	}
}
