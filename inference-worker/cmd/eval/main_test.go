package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maskfleet/pkg/vision/visiontest"
)

// dataSet draws two photos, one with a masked and an unmasked face and one without any,
// and boxes for a first photo of that size.
func dataSet(t *testing.T, width, height int) string {
	t.Helper()
	dir := t.TempDir()
	faces := []visiontest.Face{
		{Centre: image.Pt(180, 200), Radius: 80, Masked: true},
		{Centre: image.Pt(460, 200), Radius: 80},
	}
	annotations := fmt.Sprintf(`{
		"categories": [{"id": 0, "name": "mask"}, {"id": 1, "name": "no_mask"}],
		"images": [
			{"id": 0, "file_name": "faces.jpg", "width": %d, "height": %d, "split": "test"},
			{"id": 1, "file_name": "wall.jpg", "width": 320, "height": 240, "split": "test"}],
		"annotations": [
			{"id": 0, "image_id": 0, "category_id": 0, "bbox": [118, 130, 124, 150]},
			{"id": 1, "image_id": 0, "category_id": 1, "bbox": [398, 130, 124, 150]}]}`, width, height)
	for name, data := range map[string][]byte{
		"annotations.json": []byte(annotations),
		"faces.jpg":        visiontest.JPEG(640, 400, faces...),
		"wall.jpg":         visiontest.JPEG(320, 240),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEvaluation goes once through all that the program can do.
func TestEvaluation(t *testing.T) {
	t.Parallel()
	dir, out := dataSet(t, 640, 400), t.TempDir()
	found := filepath.Join(out, "found.json")
	corrections := filepath.Join(out, "corrections.json")
	text := `[{"file_name": "wall.jpg", "reason": "for this test", "add": [{"category": "ignore", "bbox": [0, 0, 9, 9]}]}]`
	if err := os.WriteFile(corrections, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tags := filepath.Join(out, "tags.json")
	text = `[{"file_name": "faces.jpg", "faces": [{"bbox": [398, 130, 124, 150], "tags": ["beard"]}]}]`
	if err := os.WriteFile(tags, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{
		dir, "--split", "test", "--json", "--working-point", "fast", "--against", "accurate",
		"--detections", found, "--out", filepath.Join(out, "report"), "--corrections", corrections, "--tags", tags,
	}, &stdout, &stderr)
	if status != statusOK {
		t.Fatalf("got status %d\n%s", status, &stderr)
	}
	var printed struct {
		Corrections int
		Figures     struct {
			Photos int
			Faces  map[string]int
			CPU    map[string]struct{ Mean float64 }    `json:"cpu_ms"`
			Tagged map[string]map[string]map[string]int `json:"confusion_by_tag"`
		}
		Against *struct{ Model struct{ Name string } }
	}
	if err := json.Unmarshal(stdout.Bytes(), &printed); err != nil {
		t.Fatalf("standard output is not one JSON object: %v\n%s", err, &stdout)
	}
	if printed.Figures.Photos != 2 || printed.Figures.Faces["face"] != 2 || printed.Corrections != 1 {
		t.Errorf("got %d photos with %v and %d corrections", printed.Figures.Photos, printed.Figures.Faces, printed.Corrections)
	}
	beards := 0
	for _, count := range printed.Figures.Tagged["beard"]["unmasked"] {
		beards += count
	}
	if beards != 1 {
		t.Errorf("got %v, want one unmasked face with a beard", printed.Figures.Tagged)
	}
	if printed.Figures.CPU["network"].Mean <= 0 {
		t.Errorf("the network took no time: %v", printed.Figures.CPU)
	}
	if printed.Against == nil || !strings.HasSuffix(printed.Against.Model.Name, "-accurate") {
		t.Errorf("the other detector is %+v", printed.Against)
	}
	var detections []struct {
		Name     string `json:"file_name"`
		Category string
		Score    float64
		Box      [4]float64 `json:"bbox"`
	}
	written, err := os.ReadFile(found)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &detections); err != nil {
		t.Fatal(err)
	}
	if len(detections) < 2 || detections[0].Name != "faces.jpg" || detections[0].Box[2] <= 0 {
		t.Errorf("the detections are %+v", detections)
	}
	for _, d := range detections {
		if d.Category != "mask" && d.Category != "no_mask" && d.Category != "incorrect" {
			t.Errorf("the category %q is not the data set's", d.Category)
		}
	}
	for _, name := range []string{reportFile, sheetFile} {
		if _, err := os.Stat(filepath.Join(out, "report", name)); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	dir := dataSet(t, 640, 400)
	turned := dataSet(t, 400, 640)
	missing := filepath.Join(t.TempDir(), "data")
	cases := map[string]struct {
		args   []string
		status int
		said   string
	}{
		"no data set":            {[]string{missing, "--split", "test"}, statusUsage, "no data set in " + missing},
		"no folder":              {[]string{"--split", "test"}, statusUsage, "name one folder"},
		"two folders":            {[]string{dir, "--json", dir}, statusUsage, "name one folder"},
		"an unknown flag":        {[]string{dir, "--fast"}, statusUsage, "-fast"},
		"an unknown point":       {[]string{dir, "--working-point", "slow"}, statusUsage, "slow"},
		"an unknown split":       {[]string{dir, "--split", "tset"}, statusFailed, `no photo is in split "tset"`},
		"no such model":          {[]string{dir, "--model", missing}, statusFailed, "opening the detector"},
		"nothing to compare":     {[]string{dir, "--against", missing}, statusFailed, "opening the detector"},
		"no such corrections":    {[]string{dir, "--corrections", missing}, statusFailed, "opening the corrections"},
		"no such tags":           {[]string{dir, "--tags", missing}, statusFailed, "opening the tags"},
		"boxes of another shape": {[]string{turned, "--json"}, statusFailed, "it has 640 x 400 pixels, its boxes are for 400 x 640"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if status := run(c.args, &stdout, &stderr); status != c.status {
				t.Errorf("got status %d, want %d", status, c.status)
			}
			if !strings.Contains(stderr.String(), c.said) || stdout.Len() > 0 {
				t.Errorf("got %q on standard error, want %q in it; %q on standard output", &stderr, c.said, &stdout)
			}
		})
	}
}

func TestHelpIsNoFault(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if status := run([]string{"-h"}, &stdout, &stderr); status != statusOK || !strings.Contains(stderr.String(), "usage: go tool task eval") {
		t.Errorf("got status %d and %q", status, &stderr)
	}
}
