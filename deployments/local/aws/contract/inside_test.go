package contract_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"maskfleet/deployments/local/aws/awstest"
)

// TestInside looks from where the instance's own programs are.
func TestInside(t *testing.T) {
	t.Parallel()
	a, _ := openLocal(t, awstest.Options{})
	id := a.running(t, 1, func(in *ec2.RunInstancesInput) {
		in.UserData = userData("# settings of this instance\nGREETING=hello\nGUEST=replaced\n")
		in.MetadataOptions = &ec2types.InstanceMetadataOptionsRequest{HttpTokens: ec2types.HttpTokensStateRequired, InstanceMetadataTags: ec2types.InstanceMetadataTagsStateEnabled}
		in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: sdk.String(awstest.Profile)}
	})[0]
	shown := a.describe(t, id)
	address := *shown.PrivateIpAddress
	inside := a.newMetadata(t, address)
	for path, want := range map[string]string{
		"meta-data/instance-id":                 id,
		"meta-data/instance-type":               a.kind,
		"meta-data/ami-id":                      a.image,
		"meta-data/local-ipv4":                  address,
		"meta-data/placement/availability-zone": *shown.Placement.AvailabilityZone,
		"meta-data/placement/region":            awstest.Region,
		"meta-data/tags/instance/contract":      a.name,
		"meta-data/tags/instance":               "contract",
		"meta-data/iam/security-credentials/":   awstest.Profile,
		"user-data":                             "# settings of this instance\nGREETING=hello\nGUEST=replaced\n",
	} {
		t.Run(path, func(t *testing.T) {
			if status, got := inside.get(t, path); status != http.StatusOK || got != want {
				t.Errorf("it reads %d %q, want %q", status, got, want)
			}
		})
	}
	t.Run("nothing is read without a token", func(t *testing.T) {
		if status, _ := (metadata{url: inside.url}).get(t, "meta-data/instance-id"); status != http.StatusUnauthorized {
			t.Errorf("it reads %d, want 401", status)
		}
		if status, _ := (metadata{inside.url, "guessed"}).get(t, "meta-data/instance-id"); status != http.StatusUnauthorized {
			t.Errorf("with a token that was guessed it reads %d, want 401", status)
		}
	})
	t.Run("a new tag is read", func(t *testing.T) {
		must(a.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: sdk.String("late"), Value: sdk.String("yes")}}}))(t)
		if _, got := inside.get(t, "meta-data/tags/instance/late"); got != "yes" {
			t.Errorf("it reads %q", got)
		}
	})
	t.Run("credentials of the role are read", func(t *testing.T) {
		if _, got := inside.get(t, "meta-data/iam/security-credentials/"+awstest.Profile); !strings.Contains(got, `"AccessKeyId": "`) {
			t.Errorf("it reads %s", got)
		}
	})
	t.Run("its program has the user data and the metadata's address in its environment", func(t *testing.T) {
		program := fmt.Sprintf("http://%s:%d", address, awstest.GuestPort)
		a.eventually(t, "the program answers", func() bool { return answers(t, program+"/readyz") })
		for name, want := range map[string]string{
			"GREETING": "hello", "GUEST": "replaced",
			"AWS_EC2_METADATA_SERVICE_ENDPOINT": strings.TrimSuffix(inside.url, "/latest/"),
		} {
			if _, got := call(t, http.MethodGet, program+"/env/"+name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// TestShareOfCPU: a busy instance is as busy as it may be, by the host's own measure,
// and CloudWatch says so. How much of its share it gets depends on the machine; that
// it gets no more does not.
func TestShareOfCPU(t *testing.T) {
	t.Parallel()
	a, _ := openLocal(t, awstest.Options{})
	id := a.running(t, 1, func(in *ec2.RunInstancesInput) {
		in.InstanceType = "local.eighth"
		in.Monitoring = &ec2types.RunInstancesMonitoringEnabled{Enabled: sdk.Bool(true)}
	})[0]
	address := *a.describe(t, id).PrivateIpAddress
	program := fmt.Sprintf("http://%s:%d", address, awstest.GuestPort)
	a.eventually(t, "the program answers", func() bool { return answers(t, program+"/readyz") })
	process := guests(t, address)[address]
	call(t, http.MethodPut, program+"/busy")
	before, began := cpuTime(t, process), time.Now()
	m := meter{a, types.Metric{
		Namespace: sdk.String("AWS/EC2"), MetricName: sdk.String("CPUUtilization"),
		Dimensions: []types.Dimension{{Name: sdk.String("InstanceId"), Value: &id}},
	}, time.Now().Truncate(time.Minute)}
	m.eventually(t, "EC2 says that the instance is busy", func() bool {
		out := must(m.cloudwatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			MetricDataQueries: []types.MetricDataQuery{m.query("cpu", "Maximum", 60)}, StartTime: &m.start, EndTime: sdk.Time(time.Now().Add(time.Minute)),
		}))(t).MetricDataResults[0]
		return slices.ContainsFunc(out.Values, func(percent float64) bool { return percent > 50 })
	})
	used, passed := cpuTime(t, process)-before, time.Since(began)
	const share = 0.125
	// One period of the scheduler's on every core may pass before a look.
	slack := 250 * time.Millisecond
	if allowed := time.Duration(share*float64(passed)) + slack; used > allowed {
		t.Errorf("it used %s of %s, want at most %s", used, passed, allowed)
	}
	t.Logf("used %s of %s: %.3f of a core, its share is %.3f", used, passed, used.Seconds()/passed.Seconds(), share)
}

// cpuTime is what the process has used, user and system, in the kernel's ticks.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system, perTick = 11, 12, 10 * time.Millisecond
	ticks := 0
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * perTick
}
