package vision

import (
	"fmt"
	"image"
	"testing"
	"time"

	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

// BenchmarkAnalyze gives the CPU time of a photo step by step, at both working points
// and with tiles.
//
//	go test -run '^$' -bench . ./pkg/vision
func BenchmarkAnalyze(b *testing.B) {
	for _, cfg := range []Config{
		{WorkingPoint: visionconfig.Fast, Tiles: visionconfig.TilesOff},
		{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff},
		{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesAuto},
	} {
		d := newDetectorOf(b, cfg)
		for _, size := range []image.Point{{640, 480}, {640, 640}, {1920, 1440}, {4032, 3024}} {
			photo := visiontest.JPEG(size.X, size.Y,
				visiontest.Face{Centre: size.Div(3), Radius: size.Y / 8, Masked: true},
				visiontest.Face{Centre: image.Pt(size.X*2/3, size.Y/3), Radius: size.Y / 8},
			)
			b.Run(fmt.Sprintf("%s/tiles=%s/%dx%d", cfg.WorkingPoint, cfg.Tiles, size.X, size.Y), func(b *testing.B) {
				benchmarkSteps(b, d, photo)
			})
		}
	}
}

// benchmarkSteps reports the least of every step: what a photo costs where nothing
// else disturbs.
func benchmarkSteps(b *testing.B, d *Detector, photo []byte) {
	b.Helper()
	var least Steps
	for first := true; b.Loop(); first = false {
		out, err := d.Analyze(photo)
		if err != nil {
			b.Fatal(err)
		}
		if first {
			least = out.Steps
		}
		least = leastOf(least, out.Steps)
	}
	b.ReportMetric(0, "ns/op") // wall time says nothing on a busy machine
	report := func(d time.Duration, unit string) { b.ReportMetric(d.Seconds()*1e3, unit) }
	report(least.Decode, "ms-decode")
	report(least.Prepare, "ms-prepare")
	report(least.Network, "ms-network")
	report(least.Boxes, "ms-boxes")
	report(least.Draw, "ms-draw")
	report(least.Encode, "ms-encode")
	report(least.Decode+least.Prepare+least.Network+least.Boxes, "ms-detect")
	report(least.Decode+least.Prepare+least.Network+least.Boxes+least.Draw+least.Encode, "ms-all")
}

func leastOf(a, b Steps) Steps {
	return Steps{
		Decode: min(a.Decode, b.Decode), Prepare: min(a.Prepare, b.Prepare), Network: min(a.Network, b.Network),
		Boxes: min(a.Boxes, b.Boxes), Draw: min(a.Draw, b.Draw), Encode: min(a.Encode, b.Encode),
	}
}

// BenchmarkShapes shows what it costs that every photo has another shape than the one
// before, for which the network is laid out anew.
func BenchmarkShapes(b *testing.B) {
	d := newDetectorOf(b, Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff})
	wide, tall := visiontest.JPEG(640, 480), visiontest.JPEG(480, 640)
	for name, photos := range map[string][][]byte{"same": {wide, wide}, "alternating": {wide, tall}} {
		b.Run(name, func(b *testing.B) {
			least := time.Hour
			for b.Loop() {
				var pair time.Duration
				for _, photo := range photos {
					found, err := d.Detect(photo)
					if err != nil {
						b.Fatal(err)
					}
					pair += found.Steps.Network
				}
				least = min(least, pair/2)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(least.Seconds()*1e3, "ms-network")
		})
	}
}
