//go:build parity

package simulate_test

import (
	"flag"
	"path/filepath"
	"testing"

	"maskfleet/scaler/simulate"
)

var traces = flag.String("traces", "", "folder of the recorded traffic")

// The names of the recorded traffic.
const (
	conversation = "azure_llm_conv_2023_second"
	code         = "azure_llm_code_2023_second"
	function     = "azure_functions_2019_fn_37ae_minute"
	all          = "azure_functions_2019_sample1350_minute"
)

// recordedFigures are of traffic that others recorded, which is not part of this
// repository.
func recordedFigures() []figure {
	return []figure{
		{conversation, "published", 60, 0, 1.41}, {conversation, "published", 25, 0, 1.42},
		{conversation, "knative", 60, 1.09, 1.68}, {conversation, "knative", 25, 0, 1.69},
		{conversation, "cpu-ratio", 60, 0, 1.65}, {conversation, "keda-10", 60, 20.55, 1.63},
		{conversation, "keda-target", 60, 27.90, 1.60}, {conversation, "aws-backlog", 60, 15.00, 1.37},
		{code, "published", 60, 6.43, 1.48}, {code, "published", 25, 7.07, 1.66},
		{code, "knative", 60, 39.76, 1.23}, {code, "knative", 25, 26.54, 1.43},
		{code, "cpu-ratio", 60, 45.74, 0.91}, {code, "keda-10", 60, 18.57, 1.42},
		{code, "keda-target", 60, 23.03, 1.17}, {code, "aws-backlog", 60, 30.28, 1.09}, {code, "static-max", 60, 4.26, 1.52},
		{function, "published", 60, 6.39, 1.21}, {function, "published", 25, 2.27, 1.16},
		{function, "knative", 60, 6.48, 1.23}, {function, "knative", 25, 1.02, 1.23},
		{function, "cpu-ratio", 60, 66.24, 1.25}, {function, "keda-10", 60, 28.82, 1.44},
		{function, "keda-target", 60, 57.41, 1.39}, {function, "aws-backlog", 60, 48.35, 1.68}, {function, "static-max", 60, 0, 7.31},
		{all, "published", 60, 0.38, 1.22}, {all, "published", 25, 0.01, 1.25},
		{all, "knative", 60, 0.06, 1.92}, {all, "knative", 25, 0, 1.89},
		{all, "cpu-ratio", 60, 3.65, 2.13}, {all, "keda-10", 60, 21.75, 2.25},
		{all, "keda-target", 60, 24.64, 2.15}, {all, "aws-backlog", 60, 17.10, 1.91}, {all, "static-max", 60, 0.08, 2.36},
	}
}

// longFigures are of built-in traces that take their time.
func longFigures() []figure {
	return []figure{
		{"onoff", "published", 60, 2.02, 2.45}, {"onoff", "published", 25, 1.15, 1.98},
		{"onoff", "knative", 60, 51.61, 1.10}, {"onoff", "knative", 25, 16.29, 1.14},
		{"ramp", "published", 60, 0.72, 1.20}, {"ramp", "knative", 60, 0.09, 1.71},
		{"poisson", "published", 60, 16.74, 1.62}, {"poisson", "knative", 60, 19.59, 1.59},
	}
}

func TestParityOnRecordedTraffic(t *testing.T) {
	if *traces == "" {
		t.Fatal("-traces does not name the folder of the traces; go tool task simulate:parity does")
	}
	checkFigures(t, recordedFigures(), func(t *testing.T, name string) simulate.Load {
		t.Helper()
		load, err := openRecorded(name)
		if err != nil {
			t.Fatal(err)
		}
		return load
	})
}

func openRecorded(name string) (simulate.Load, error) {
	return simulate.OpenLoad(filepath.Join(*traces, name+".csv"))
}

// TestParityOfGoals: what is aimed for on recorded traffic and on bursts that recur, as
// far as it is reached.
func TestParityOfGoals(t *testing.T) {
	if *traces == "" {
		t.Fatal("-traces does not name the folder of the traces; go tool task simulate:parity does")
	}
	checkGoals(t, []figure{
		{all, "target-wait", 60, 0.4, 1.25}, {all, "target-wait", 25, 0.4, 1.25},
		{conversation, "target-wait", 60, 0, 1.41}, {function, "target-wait", 25, 1, 1.23},
	}, openRecorded)
	checkGoals(t, []figure{
		{"recurring", "target-wait", 60, 0.5, 1.4}, {"punctual", "target-wait", 60, 0.5, 1.4},
	}, simulate.OpenLoad)
}

func TestParityOnLongTraces(t *testing.T) {
	checkFigures(t, longFigures(), func(t *testing.T, name string) simulate.Load {
		t.Helper()
		load, err := simulate.OpenLoad(name)
		if err != nil {
			t.Fatal(err)
		}
		return load
	})
}
