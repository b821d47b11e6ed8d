package vision

import (
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
	"maskfleet/pkg/visionconfig"
)

// object is a JSON object in the making.
type object = map[string]any

// colours is the manifest of testdata/colours.onnx, which takes blue for a mask and
// red for a face without.
func colours() object {
	return object{
		"name": "colours", "version": "1", "file": "colours.onnx",
		"input": object{
			"longer_side": object{"fast": 64, "accurate": 128}, "multiple_of": 32, "fit": "letterbox", "channels": "bgr",
			"mean": []float64{0, 0, 0}, "scale": []float64{1. / 255, 1. / 255, 1. / 255},
		},
		"decode":     object{"type": "cells", "outputs": []string{"cells"}, "strides": []int{32}, "most_log_distance": 4},
		"classes":    []string{"masked", "unmasked", "incorrect"},
		"thresholds": object{"fast": colourThresholds(), "accurate": colourThresholds()},
		"overlap":    0.5,
	}
}

func two() object {
	least := object{"masked": 0.6, "unmasked": 0.6}
	return object{"fast": least, "accurate": least}
}

func colourThresholds() object { return object{"masked": 0.6, "unmasked": 0.6, "incorrect": 0.6} }

// confident is the manifest of the same network whose confidence is, at accurate, a
// logit below its score.
func confident() object {
	return with(colours(), object{
		"candidates": 0.1, "agreement": 0.6,
		"confidence": object{"fast": object{"score": 1}, "accurate": object{"constant": -1, "score": 1}},
	})
}

// ssd is the manifest of testdata/anchors.onnx, which takes red for a mask and wants
// its channels as RGB.
func ssd() object {
	thresholds := object{"masked": 0.9, "unmasked": 0.9}
	return object{
		"name": "ssd", "version": "2", "file": "anchors.onnx",
		"input": object{
			"width": 64, "height": 64, "fit": "stretch", "channels": "rgb",
			"mean": []float64{0, 0, 0}, "scale": []float64{1. / 255, 1. / 255, 1. / 255},
		},
		"decode": object{
			"type": "anchors", "outputs": []string{"loc", "conf"}, "maps": []int{2},
			"sizes": [][]float64{{0.25, 0.4}}, "ratios": []float64{1, 0.5}, "variances": []float64{0.1, 0.1, 0.2, 0.2},
		},
		"classes":    []string{"masked", "unmasked"},
		"thresholds": object{"fast": thresholds, "accurate": thresholds},
		"overlap":    0.4,
	}
}

// inFolder writes a model folder with the manifest and every network of testdata.
func inFolder(t *testing.T, manifest any) string {
	t.Helper()
	folder := t.TempDir()
	networks, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(networks) == 0 {
		t.Fatalf("no networks: %v", err)
	}
	for _, network := range networks {
		data, err := os.ReadFile(network)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(folder, filepath.Base(network)), data)
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, manifestFile), text)
	return folder
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func ofFolder(folder string) Config {
	return Config{ModelFolder: folder, WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff}
}

// painted is a grey PNG of 256 × 128 pixels with one part in a colour.
func painted(t *testing.T, part image.Rectangle, c color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 256, 128))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.Gray{Y: 100}), image.Point{}, draw.Src)
	draw.Draw(picture, part, image.NewUniform(c), image.Point{}, draw.Src)
	return asPNG(t, picture)
}

func red() color.Color { return color.RGBA{R: 255, A: 255} }

func TestModelOfCells(t *testing.T) {
	t.Parallel()
	folder := inFolder(t, colours())
	photo := painted(t, image.Rect(128, 64, 192, 128), red())
	for point, want := range map[visionconfig.WorkingPoint]Face{ // a cell is 64, or 128, pixels of the photo
		visionconfig.Accurate: {Label: job.LabelUnmasked, Confidence: sigmoid(10), Left: 128, Top: 64, Right: 192, Bottom: 128},
		visionconfig.Fast:     {},
	} {
		cfg := ofFolder(folder)
		cfg.WorkingPoint = point
		d := newDetectorOf(t, cfg)
		if m := d.Model(); m.Name != "colours-"+string(point) || !regexp.MustCompile("^1-[0-9a-f]{8}$").MatchString(m.Version) {
			t.Errorf("model is %+v", m)
		}
		got, err := d.Detect(photo)
		if err != nil {
			t.Fatal(err)
		}
		var all []Face
		if want != (Face{}) {
			all = []Face{want}
		}
		if diff := cmp.Diff(all, got.Faces, cmpopts.EquateApprox(0, 1e-4), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: faces (-want +got):\n%s", point, diff)
		}
	}
}

// Two models of one name and version still have different names in results.
func TestModelVersionTellsModelsApart(t *testing.T) {
	t.Parallel()
	versionOf := func(cfg Config) string { return newDetectorOf(t, cfg).Model().Version }
	one := versionOf(ofFolder(inFolder(t, colours())))
	if again := versionOf(ofFolder(inFolder(t, colours()))); again != one {
		t.Errorf("the same model has the versions %s and %s", one, again)
	}
	if other := versionOf(ofFolder(inFolder(t, with(colours(), object{"overlap": 0.6})))); other == one {
		t.Errorf("two models have the version %s", one)
	}
	cfg := ofFolder(inFolder(t, colours()))
	cfg.Tiles = visionconfig.TilesAuto
	if name := newDetectorOf(t, cfg).Model().Name; name != "colours-accurate-tiles" {
		t.Errorf("name is %s", name)
	}
}

func TestModelOfAnchors(t *testing.T) {
	t.Parallel()
	d := newDetectorOf(t, ofFolder(inFolder(t, ssd())))
	got, err := d.Detect(painted(t, image.Rect(128, 64, 256, 128), red()))
	if err != nil {
		t.Fatal(err)
	}
	// The anchor is a quarter of the photo each way, round (0.75, 0.75), and is moved
	// by 1 × 0.1 of its width.
	x, y := (0.75+0.1*0.25)*256, 0.75*128
	want := []Face{{Label: job.LabelMasked, Confidence: 1, Left: x - 32, Top: y - 16, Right: x + 32, Bottom: y + 16}}
	if diff := cmp.Diff(want, got.Faces, cmpopts.EquateApprox(0, 0.02)); diff != "" {
		t.Errorf("faces (-want +got):\n%s", diff)
	}
}

// The anchors of the ancestor's network, by the figures its authors give.
func TestAnchorsOfTheAncestor(t *testing.T) {
	t.Parallel()
	a := newAnchors(manifestDecode{
		Maps:   []int{33, 17, 9, 5, 3},
		Sizes:  [][]float64{{0.04, 0.056}, {0.08, 0.11}, {0.16, 0.22}, {0.32, 0.45}, {0.64, 0.72}},
		Ratios: []float64{1, 0.62, 0.42}, Variances: []float64{0.1, 0.1, 0.2, 0.2},
	}, nil)
	if len(a.boxes) != 5972 {
		t.Fatalf("%d anchors, want 5972", len(a.boxes))
	}
	for at, want := range map[int]anchor{
		0:    {x: 0.5 / 33, y: 0.5 / 33, width: 0.04, height: 0.04},
		1:    {x: 0.5 / 33, y: 0.5 / 33, width: 0.056, height: 0.056},
		6:    {x: 1.5 / 33, y: 0.5 / 33, width: 0.0314960, height: 0.0508001}, // second cell, ratio 0.62
		5971: {x: 2.5 / 3, y: 2.5 / 3, width: 0.4147674, height: 0.9875416},   // last cell, ratio 0.42
	} {
		if diff := cmp.Diff(want, a.boxes[at], cmp.AllowUnexported(anchor{}), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Errorf("anchor %d (-want +got):\n%s", at, diff)
		}
	}
}

func TestLeastConfidenceReplacesThresholds(t *testing.T) {
	t.Parallel()
	cfg := ofFolder(inFolder(t, colours()))
	photo := painted(t, image.Rect(128, 64, 192, 104), red()) // five eighths of a cell, the rest grey
	for least, want := range map[float64]int{0: 0, 0.001: 1} {
		cfg.LeastConfidence = least
		got, err := newDetectorOf(t, cfg).Detect(photo)
		if err != nil || len(got.Faces) != want {
			t.Errorf("least confidence %v: faces %+v, error %v, want %d faces", least, got.Faces, err, want)
		}
	}
}

// with gives a manifest with some fields changed; nil removes one, and a path with a
// dot leads into an object.
func with(manifest object, changes object) object {
	changed := maps.Clone(manifest)
	for path, value := range changes {
		field, rest, nested := strings.Cut(path, ".")
		switch {
		case nested:
			changed[field] = with(changed[field].(object), object{rest: value})
		case value == nil:
			delete(changed, field)
		default:
			changed[field] = value
		}
	}
	return changed
}

func TestNewRefusesAModel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		manifest any
		message  string
	}{
		"not JSON":               {"text", "manifest.json: it is a text, want an object"},
		"misspelt field":         {with(colours(), object{"treshold": 1}), "manifest.json: treshold is not known"},
		"no name":                {with(colours(), object{"name": nil}), `name is "", not 1 to 40 letters`},
		"no version":             {with(colours(), object{"version": ""}), `version is "", not 1 to 40 letters`},
		"no file":                {with(colours(), object{"file": nil}), "file is empty"},
		"missing network":        {with(colours(), object{"file": "none.onnx"}), "none.onnx"},
		"network outside":        {with(colours(), object{"file": "../none.onnx"}), "invalid argument"},
		"not a network":          {with(colours(), object{"file": "manifest.json"}), "reading the network manifest.json: OpenCV does not read it"},
		"no side":                {with(colours(), object{"input.longer_side": object{"fast": 64}}), "longer_side has no accurate"},
		"odd side":               {with(colours(), object{"input.longer_side.fast": 65}), "longer_side of fast is 65, not a multiple of 32"},
		"huge side":              {with(colours(), object{"input.longer_side.fast": 32000}), "longer_side of fast is 32000, not 32 to 2048"},
		"other working point":    {with(colours(), object{"input.longer_side.slow": 64}), `unknown working point "slow"`},
		"no multiple":            {with(colours(), object{"input.multiple_of": nil}), "multiple_of is 0"},
		"two sizes":              {with(colours(), object{"input.width": 64, "input.height": 64}), "exclude each other"},
		"width alone":            {with(ssd(), object{"input.height": nil}), "width and height are 64 and 0"},
		"unknown fit":            {with(colours(), object{"input.fit": "crop"}), `fit is "crop", not letterbox or stretch`},
		"stretched to nothing":   {with(colours(), object{"input.fit": "stretch"}), "stretch needs a fixed width and height"},
		"unknown channels":       {with(colours(), object{"input.channels": "yuv"}), `channels is "yuv", not bgr or rgb`},
		"one scale":              {with(colours(), object{"input.scale": []float64{1}}), "have 3 and 1 values, not 3"},
		"no scale":               {with(colours(), object{"input.scale": []float64{1, 0, 1}}), "a scale of 0"},
		"unknown decode type":    {with(colours(), object{"decode.type": "yolo"}), `type is "yolo", not cells or anchors`},
		"no outputs":             {with(colours(), object{"decode.outputs": nil}), "0 outputs and 1 strides"},
		"unnamed output":         {with(colours(), object{"decode.outputs": []string{""}}), "output 0 has no name"},
		"unknown output":         {with(colours(), object{"decode.outputs": []string{"faces"}}), `the network has no output "faces"`},
		"stride of nothing":      {with(colours(), object{"decode.strides": []int{0}}), "a stride is 0"},
		"stride does not fit":    {with(colours(), object{"decode.strides": []int{48}}), "not always a multiple of the stride 48"},
		"other stride":           {with(colours(), object{"decode.strides": []int{16}}), "has the shape [1 7 4 4] where [1 7 8 8] belongs"},
		"no clamp":               {with(colours(), object{"decode.most_log_distance": 0}), "most_log_distance is 0"},
		"anchors among cells":    {with(colours(), object{"decode.ratios": []float64{1}}), "belong to the type anchors"},
		"cells among anchors":    {with(ssd(), object{"decode.strides": []int{8}}), "belong to the type cells"},
		"anchors of any size":    {with(colours(), object{"decode": ssd()["decode"]}), "anchors need a fixed width and height"},
		"one output of two":      {with(ssd(), object{"decode.outputs": []string{"loc"}}), "1 outputs, not 2"},
		"outputs swapped":        {with(ssd(), object{"decode.outputs": []string{"conf", "loc"}}), "output of boxes has the shape [1 12 2] where [1 12 4] belongs"},
		"sizes of one map":       {with(ssd(), object{"decode.maps": []int{2, 1}}), "2 maps and 1 lists of sizes"},
		"map of nothing":         {with(ssd(), object{"decode.maps": []int{0}}), "a map's side is 0"},
		"other map":              {with(ssd(), object{"decode.maps": []int{3}}), "has the shape [1 12 4] where [1 27 4] belongs"},
		"negative size":          {with(ssd(), object{"decode.sizes": [][]float64{{-1}}}), "sizes of map 0 are [-1]"},
		"no ratios":              {with(ssd(), object{"decode.ratios": nil}), "ratios are []"},
		"three variances":        {with(ssd(), object{"decode.variances": []float64{1, 1, 1}}), "variances are [1 1 1], not 4"},
		"no classes":             {with(colours(), object{"classes": nil}), "classes has 0 entries"},
		"unknown class":          {with(colours(), object{"classes": []string{"mask"}}), `"mask" is not one of [masked unmasked incorrect] or background`},
		"nothing but background": {with(colours(), object{"classes": []string{"background"}}), "classes: all are background"},
		"threshold of no class":  {with(colours(), object{"thresholds.fast.msked": 0.3}), `thresholds of fast has "msked", which is no face's class`},
		"two classes of three":   {with(colours(), object{"classes": []string{"masked", "unmasked"}, "thresholds": two()}), "has the shape [1 7 4 4] where [1 6 4 4] belongs"},
		"no thresholds":          {with(colours(), object{"thresholds.fast": nil}), "thresholds of fast has no masked"},
		"threshold of nothing":   {with(colours(), object{"thresholds.fast.masked": 0}), "masked at fast is 0, not above 0 and below 1"},
		"threshold of per cent":  {with(colours(), object{"thresholds.fast.masked": 42}), "masked at fast is 42, not above 0 and below 1"},
		"other thresholds":       {with(colours(), object{"thresholds.slow": colourThresholds()}), `thresholds has the unknown working point "slow"`},
		"overlap of all":         {with(colours(), object{"overlap": 1}), "overlap is 1"},
		"all are candidates":     {with(colours(), object{"candidates": 1}), "candidates is 1, not 0.001 to below 1"},
		"nothing is none":        {with(colours(), object{"candidates": 1e-50}), "candidates is 1e-50, not 0.001 to below 1"},
		"never looked at":        {with(colours(), object{"candidates": 0.7}), "is 0.6, below the candidates, 0.7"},
		"agree with neighbours":  {with(confident(), object{"agreement": 0.4}), "agreement is 0.4, not at least the overlap, 0.5, and below 1"},
		"agreement by itself":    {with(colours(), object{"agreement": 0.6}), "agreement needs candidates"},
		"confident of scores":    {with(confident(), object{"candidates": 0, "agreement": 0}), "confidence needs candidates and agreement"},
		"confident at one":       {with(confident(), object{"confidence.fast": nil}), "confidence of fast has no score above 0"},
		"confident without":      {with(confident(), object{"confidence.fast.score": nil}), "confidence of fast has no score above 0"},
		"confident elsewhere":    {with(confident(), object{"confidence.slow": object{}}), `confidence has the unknown working point "slow"`},
		"never confident":        {with(confident(), object{"confidence.fast.company": -1e300}), "confidence of fast has a coefficient of -1e+300, beyond ±100"},
		"unknown coefficient":    {with(confident(), object{"confidence.fast.bias": 1}), "manifest.json: confidence.fast.bias is not known"},
		"not a number":           {with(colours(), object{"file": "nan.onnx"}), "value 0 of output 0 is not a number"},
		"of a fixed size":        {with(ssd(), object{"input.width": 96}), "trying out the network anchors.onnx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := New(ofFolder(inFolder(t, c.manifest)))
			if err == nil {
				d.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("error is\n%v\nwant one with\n%s", err, c.message)
			}
		})
	}
}

func TestNewRefusesAFolder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ folder, message string }{
		"missing":              {filepath.Join(t.TempDir(), "none"), "opening the model folder"},
		"without a manifest":   {t.TempDir(), "reading manifest.json"},
		"of a foreign network": {inFolder(t, with(colours(), object{"file": "anchors.onnx"})), `the network has no output "cells"`},
	} {
		_, err := New(ofFolder(c.folder))
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.message)
		}
	}
}

func TestNewRefusesSettings(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no working point":      {Tiles: visionconfig.TilesOff},
		"no word on tiles":      {WorkingPoint: visionconfig.Fast},
		"confidence of all":     {WorkingPoint: visionconfig.Fast, Tiles: visionconfig.TilesOff, LeastConfidence: 1},
		"confidence below none": {WorkingPoint: visionconfig.Fast, Tiles: visionconfig.TilesOff, LeastConfidence: -0.1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What docs/models.md shows can be copied from it.
func TestManifestsOfTheDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?ms)^    \{$.*?^    \}$`).FindAll(page, -1)
	if len(examples) != 2 {
		t.Errorf("%d manifests, want 2", len(examples))
	}
	var shown []manifest
	for _, example := range examples {
		m, err := readManifest(example)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		shown = append(shown, m)
	}
	text, err := os.ReadFile("model/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := readManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(embedded, shown[0]); diff != "" {
		t.Errorf("the first is not the embedded model's (-embedded +shown):\n%s", diff)
	}
}

// FuzzManifest reads what somebody may put beside a network: never a panic, and what
// passes asks for no more memory than a slot may have.
func FuzzManifest(f *testing.F) {
	text, err := os.ReadFile("model/manifest.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	withConfidence, err := json.Marshal(confident())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(withConfidence)
	f.Add([]byte(`{"input": {"width": -1, "longer_side": {"fast": 0}, "multiple_of": 0}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := readManifest(text)
		if err != nil {
			return
		}
		for _, side := range append([]int{m.Input.Width, m.Input.Height}, slices.Collect(maps.Values(m.Input.LongerSide))...) {
			if side < 0 || side > longestInput {
				t.Errorf("%q asks for %d pixels a side", text, side)
			}
		}
		for point, c := range m.Confidence {
			boxes := []box{{score: 1, support: 5000, right: 1e-9, bottom: 1e-9}, {score: 0.001, support: 0.001, right: 1e9, bottom: 1e9}}
			c.judge(boxes, 640)
			for _, b := range boxes {
				if !(b.confidence >= 0 && b.confidence <= 1) {
					t.Errorf("%q is confident of %v at %s", text, b.confidence, point)
				}
			}
		}
	})
}
