package stack

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	firstPause    = time.Second
	longestPause  = 30 * time.Second
	livedWell     = time.Minute // a part that lived longer starts again with the first pause
	mostFailures  = 5           // starts in a row that fail before the stack gives up
	pauseDoubling = 2
	reportedLines = 5 // of the log of a part that ended
)

// Supervise starts each part again that ends unasked, after a pause that doubles
// from one second to thirty as long as it keeps ending. A part that does not
// start five times in a row is an error: the stack is of no use without it. nil
// when ctx ends.
func (s *Stack) Supervise(ctx context.Context, report func(line string)) error {
	parts, ctx := errgroup.WithContext(ctx)
	lives := make(map[string]*life)
	if s.options.Fleet != nil {
		parts.Go(func() error {
			s.followInstances(ctx, report)
			return nil
		})
	}
	for {
		select {
		case <-ctx.Done():
			return parts.Wait()
		case exit := <-s.exits:
			known := lives[exit.Part]
			if known == nil {
				known = &life{since: s.startedAt}
				lives[exit.Part] = known
			}
			// One part has at most one exit under way: the next can only
			// come after it was started again.
			parts.Go(func() error { return s.revive(ctx, exit, known, report) })
		}
	}
}

// life is how a part has been doing.
type life struct {
	since time.Time // last start
	pause time.Duration
}

// nextPause is how long to wait before the part is started again.
func (l *life) nextPause(now time.Time) time.Duration {
	if l.pause == 0 || now.Sub(l.since) > livedWell {
		l.pause = firstPause
	} else {
		l.pause = min(l.pause*pauseDoubling, longestPause)
	}
	return l.pause
}

func (s *Stack) revive(ctx context.Context, exit Exit, known *life, report func(string)) error {
	part, err := s.find(exit.Part)
	if err != nil {
		return err
	}
	report(fmt.Sprintf("%s %v", exit.Part, exit.Err))
	lines := lastLines(part.logPath)
	for _, line := range lines[max(0, len(lines)-reportedLines):] {
		report("    " + line)
	}
	for range mostFailures {
		pause := known.nextPause(time.Now())
		report(fmt.Sprintf("%s starts again in %s", exit.Part, pause))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		known.since = time.Now()
		if err = s.StartPart(ctx, exit.Part); err == nil {
			report(exit.Part + " is back")
			return nil
		}
		report(err.Error())
	}
	return fmt.Errorf("%s did not start %d times in a row: %w", exit.Part, mostFailures, err)
}
