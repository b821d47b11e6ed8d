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

// TestTimesAreWrittenInOneWay: of 24 hours and in the zone of whoever looks, also those in
// the scaler's own words.
func TestTimesAreWrittenInOneWay(t *testing.T) {
	t.Parallel()
	address := serve(t, pictures(), "")
	tab := browser.Open(t)
	for _, page := range []string{"scaling", "fleet-busy", "fleet-instance"} {
		tab.Go(address + "/see/" + page)
		tab.Await(`document.querySelector('[data-zone]').textContent.startsWith('Times are of ')`)
		tab.Await(`[...document.querySelectorAll('time[data-clock]')].every((e) => /\d\d:\d\d/.test(e.textContent) && e.title)`)
		const other = `(document.querySelector('main').innerText.match(/\d\d:\d\d(:\d\d)?.?(AM|PM|Z|UTC)/g) ?? [])`
		if found := browser.Eval[[]string](tab, other); len(found) > 0 {
			t.Errorf("%s writes %q", page, found)
		}
	}
}
