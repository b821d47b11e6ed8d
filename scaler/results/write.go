package results

import (
	_ "embed" // the page
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/template"
	"time"

	"maskfleet/scaler/chart"
)

//go:embed page.md
var page string

// Write writes results.md into a folder, and into results beside it a picture and the
// samples of each scenario. Note is what the reader should know of this run; it may be
// empty.
func Write(folder string, stack Stack, scenarios []Scenario, note string) error {
	beside := filepath.Join(folder, "results")
	if err := os.MkdirAll(beside, 0o755); err != nil {
		return err
	}
	for _, sc := range scenarios {
		name := filepath.Join(beside, string(sc.Policy.Kind))
		if err := toFile(name+".csv", sc.writeSamples); err != nil {
			return err
		}
		if err := toFile(name+".svg", sc.picture().Write); err != nil {
			return err
		}
	}
	return toFile(filepath.Join(folder, "results.md"), func(out io.Writer) error { return writePage(out, stack, scenarios, note) })
}

func toFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func (sc Scenario) writeSamples(out io.Writer) error {
	table := csv.NewWriter(out)
	rows := [][]string{{
		"seconds", "offered_per_second", "arrivals_per_second", "waiting", "in_flight", "cpu", "ready", "starting", "draining", "target",
		"photos", "longest_wait_seconds", "reason",
	}}
	short := func(x float64) string { return strconv.FormatFloat(math.Round(1000*x)/1000, 'f', -1, 64) }
	for _, s := range sc.Samples {
		rows = append(rows, []string{
			short(s.At.Seconds()), short(s.Offered), short(s.Arrivals), short(s.Waiting), short(s.InFlight), short(s.CPU),
			strconv.Itoa(s.Ready), strconv.Itoa(s.Starting), strconv.Itoa(s.Draining), strconv.Itoa(s.Target), strconv.Itoa(s.Seen), short(s.Wait), s.Reason,
		})
	}
	if err := table.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the samples: %w", err)
	}
	return nil
}

// picture draws load, queue, CPU, fleet and wait.
func (sc Scenario) picture() chart.Picture {
	series := func(of func(Sample) float64) []float64 {
		all := make([]float64, len(sc.Samples))
		for i, s := range sc.Samples {
			all[i] = of(s)
		}
		return all
	}
	load := chart.Panel{
		Name: "load: uploads offered (area), arrivals as the scaler knows them, mean of ten seconds (line)", Unit: "a second",
		Area: series(func(s Sample) float64 { return s.Offered }), Line: smooth(series(func(s Sample) float64 { return s.Arrivals })),
	}
	if chart.Largest(load.Line) == 0 { // not every policy looks at them
		load.Name, load.Line = "load: uploads offered", nil
	}
	p := chart.Picture{Title: "Policy " + string(sc.Policy.Kind), Panels: []chart.Panel{
		load,
		{
			Name: "queue: photos that wait (area), with those in hand (line)", Unit: "photos",
			Area: series(func(s Sample) float64 { return s.Waiting }), Line: series(func(s Sample) float64 { return s.Waiting + s.InFlight }),
		},
		{
			Name: "CPU: mean of the instances over two minutes, as CloudWatch has it", Unit: "of what they may use", Top: 1,
			Area: series(func(s Sample) float64 { return s.CPU }),
		},
		{
			Name: "fleet: instances ready (area), instances there should be (line)", Unit: "instances", Top: float64(sc.Policy.Max),
			Area: series(func(s Sample) float64 { return float64(s.Ready) }), Line: series(func(s Sample) float64 { return float64(s.Target) }),
		},
		{
			Name: "wait: the longest of the photos that came, until a worker took it", Unit: "s",
			Area: series(func(s Sample) float64 { return s.Wait }),
		},
	}}
	if len(sc.Samples) == 0 {
		return p
	}
	const parts = 6
	whole := sc.Samples[len(sc.Samples)-1].At
	for i := range parts + 1 {
		share := float64(i) / parts
		p.Ticks = append(p.Ticks, chart.Tick{At: share, Text: fmt.Sprintf("%.1f min", share*whole.Minutes())})
	}
	return p
}

// smooth takes the mean of the last ten of each.
func smooth(series []float64) []float64 {
	const window = 10
	means := make([]float64, len(series))
	for i := range series {
		means[i] = chart.Mean(series[max(0, i+1-window) : i+1])
	}
	return means
}

// scene is a scenario as the page shows it.
type scene struct {
	Scenario
	Figures Figures
}

func writePage(out io.Writer, stack Stack, scenarios []Scenario, note string) error {
	seconds := func(d time.Duration) string {
		switch {
		case d < 0:
			return "not seen"
		case d < 10*time.Second:
			return fmt.Sprintf("%.1f s", d.Seconds())
		default:
			return fmt.Sprintf("%.0f s", d.Seconds())
		}
	}
	frame, err := template.New("page").Funcs(template.FuncMap{"seconds": seconds}).Parse(page)
	if err != nil {
		return fmt.Errorf("reading the frame of the page: %w", err)
	}
	var scenes []scene
	phases := ""
	for _, sc := range scenarios {
		scenes = append(scenes, scene{sc, sc.Figures()})
		var texts []string
		for _, p := range sc.Phases {
			texts = append(texts, p.String())
		}
		phases = strings.Join(texts, ",")
	}
	err = frame.Execute(out, map[string]any{
		"Scenes": scenes, "Phases": phases, "Types": strings.Join(stack.types(), ", "), "Cores": runtime.NumCPU(),
		"Note": note, "Day": scenarios[0].Began.UTC().Format(time.DateOnly),
	})
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
