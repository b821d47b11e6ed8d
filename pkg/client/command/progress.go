package command

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// lineEvery is how often progress is told where it is no terminal that listens.
const lineEvery = 10 * time.Second

// meter shows how something comes along: a bar on a terminal, a line now and then
// elsewhere, nothing if quiet.
type meter struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil: lines
	quiet bool
	last  time.Time
}

func (a *app) meter(what string, total int) *meter {
	m := &meter{out: a.Err, quiet: a.flags.quiet, last: time.Now()}
	if !m.quiet && terminal(a.Err) {
		m.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(a.Err), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(false), progressbar.OptionFullWidth(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: " "}),
		)
	}
	return m
}

// set shows that so many of total are done.
func (m *meter) set(done, total int, what string) {
	switch {
	case m.quiet:
	case m.bar != nil:
		if total > 0 {
			m.bar.ChangeMax(total)
		}
		m.bar.Describe(what)
		_ = m.bar.Set(done) // what it cannot show it does not show
	case time.Since(m.last) >= lineEvery:
		m.last = time.Now()
		fmt.Fprintf(m.out, "%s: %s of %s\n", what, thousands(done), thousands(total))
	}
}

// end leaves the line to others.
func (m *meter) end() {
	if m.bar != nil {
		_ = m.bar.Exit()
		fmt.Fprintln(m.out)
	}
}
