package webui_test

import (
	"math"
	"testing"
	"time"

	"maskfleet/pkg/webui/browser"
)

// TestChartSaysOfWhenItsNumbersAre: what was told long ago is not told of now.
func TestChartSaysOfWhenItsNumbersAre(t *testing.T) {
	t.Parallel()
	now := time.Now()
	lively, silent := instancePicture(now), instancePicture(now)
	silent.CPU.Series[0].Values = append([]float64(nil), silent.CPU.Series[0].Values...)
	for i := 20; i < len(silent.CPU.Series[0].Values); i++ {
		silent.CPU.Series[0].Values[i] = math.NaN()
	}
	address := serve(t, []picture{{"lively", "instance", lively}, {"silent", "instance", silent}}, "")
	tab := browser.Open(t)
	const when = `document.querySelector('[data-chart="cpu"] .u-legend .u-value').textContent`
	tab.Go(address + "/see/lively")
	tab.Await(when + ` === 'Now'`)
	tab.Go(address + "/see/silent")
	tab.Await(`/\d\d:\d\d:\d\d/.test(` + when + `)`)
	tab.Await(`document.querySelectorAll('[data-chart="cpu"] .u-legend .u-value')[1].textContent.includes('%')`)
	tab.Await(`document.querySelector('[data-chart="rates"] .u-legend .u-value').textContent === 'Now'`)
}
