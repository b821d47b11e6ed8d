package aws_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/deployments/local/aws"
	"maskfleet/deployments/local/aws/awstest"
)

// command is Debian's aws, another client that AWS has written. It speaks to
// CloudWatch by forms where the SDK takes CBOR.
type command struct {
	stand                *awstest.AWS
	accessKey, secretKey string
}

// run gives what the command prints, read from its JSON into what to points at.
func (c command) run(t *testing.T, to any, args ...string) {
	t.Helper()
	cli := exec.CommandContext(t.Context(), "/usr/bin/aws", append([]string{"--endpoint-url", c.stand.Endpoint, "--output", "json"}, args...)...)
	cli.Env = []string{
		"PATH=/usr/bin:/bin", "AWS_ACCESS_KEY_ID=" + c.accessKey, "AWS_SECRET_ACCESS_KEY=" + c.secretKey,
		"AWS_DEFAULT_REGION=" + awstest.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	var complaint strings.Builder
	cli.Stderr = &complaint
	text, err := cli.Output()
	if err != nil {
		t.Fatalf("aws %s: %v (install the package awscli?)\n%s", strings.Join(args, " "), err, &complaint)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("reading what aws %s prints: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// TestCommandLine types what docs/aws.md shows, as it stands there, at a stand-in with
// the settings that it shows; but for names, addresses, times and the order of lines the
// answers are those of the page.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	stand := awstest.Start(t, awstest.Options{Configure: func(ours *aws.Config) {
		var printed aws.Config
		if err := json.Unmarshal([]byte(page.after(t, "`.local/data/aws-alone/aws.json`:")), &printed); err != nil {
			t.Fatalf("reading the page's aws.json: %v", err)
		}
		// Its own are places, and a minute that is shorter.
		printed.Region, printed.AccountID = ours.Region, ours.AccountID
		printed.Listen, printed.Control, printed.Dir, printed.Host = ours.Listen, ours.Control, ours.Dir, ours.Host
		printed.Balancers, printed.Shutdown, printed.Monitor = ours.Balancers, ours.Shutdown, ours.Monitor
		*ours = printed
	}})
	shown := page.commands(t, "## Use it")
	ports := strings.NewReplacer(
		"http://127.0.0.1:4566", stand.Endpoint,
		"--protocol HTTP --port 8080 --default-actions", fmt.Sprintf("--protocol HTTP --port %d --default-actions", stand.Ports[0]),
	)
	answers := typeAll(t, ports, shown)
	for i, want := range shown {
		got := answers[i]
		if strings.Contains(want.typed, "get-metric-data") { // a minute may not be over
			if !strings.Contains(got, `"StatusCode": "Complete"`) {
				t.Errorf("$ %s\n%s", want.typed, got)
			}
			continue
		}
		if diff := cmp.Diff(masked(ports.Replace(want.answer)), masked(got)); diff != "" {
			t.Errorf("$ %s\n(-page +answer)\n%s", want.typed, diff)
		}
	}
	command{stand, "AKIATEST", "secret"}.metrics(t)
}

// typeAll types the commands into one shell and gives the answer of each.
func typeAll(t *testing.T, ports *strings.Replacer, all []exchange) []string {
	t.Helper()
	const end = "--- that was all ---"
	script := "shopt -s expand_aliases\n"
	for _, one := range all {
		script += ports.Replace(one.typed) + "\necho '" + end + "'\n"
	}
	shell := exec.CommandContext(t.Context(), "/bin/bash")
	shell.Env = []string{"PATH=/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED=true", "HOME=" + t.TempDir()}
	shell.Stdin = strings.NewReader(script)
	text, err := shell.CombinedOutput()
	answers := strings.Split(string(text), end+"\n")
	if err != nil || len(answers) != len(all)+1 {
		t.Fatalf("typing the page's commands: %v (install the package awscli?)\n%s", err, text)
	}
	return answers[:len(all)]
}

func (c command) metrics(t *testing.T) {
	t.Helper()
	at := time.Now().UTC().Add(-5 * time.Minute).Truncate(time.Minute)
	c.run(t, nil, "cloudwatch", "put-metric-data", "--namespace", "Maskfleet", "--metric-name", "QueueDepth", "--dimensions", "Lane=batch", "--value", "42", "--timestamp", at.Format(time.RFC3339))
	var values []float64
	c.run(t, &values, "cloudwatch", "get-metric-data", "--start-time", at.Format(time.RFC3339), "--end-time", at.Add(time.Minute).Format(time.RFC3339),
		"--metric-data-queries", `[{"Id":"depth","MetricStat":{"Metric":{"Namespace":"Maskfleet","MetricName":"QueueDepth","Dimensions":[{"Name":"Lane","Value":"batch"}]},"Period":60,"Stat":"Maximum"}}]`,
		"--query", "MetricDataResults[0].Values")
	if fmt.Sprint(values) != "[42]" {
		t.Errorf("the metric's values are %v, want 42", values)
	}
	var average float64
	c.run(t, &average, "cloudwatch", "get-metric-statistics", "--namespace", "Maskfleet", "--metric-name", "QueueDepth", "--dimensions", "Name=Lane,Value=batch",
		"--start-time", at.Format(time.RFC3339), "--end-time", at.Add(time.Minute).Format(time.RFC3339), "--period", "60", "--statistics", "Average", "--query", "Datapoints[0].Average")
	if average != 42 {
		t.Errorf("the metric's average is %v, want 42", average)
	}
}
