package manager

import (
	"context"
	"slices"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

const (
	// countedOften is up to how many failures are counted with each reading. More take
	// too long for that: they are counted with the totals.
	countedOften = 2000

	sampledGroups = 12 // the largest
	samples       = 4  // of each
)

// deadGroups are the failures that nobody has dealt with, by reason and model. Every
// page that tells of them shows this reading, so that no two pages differ.
type deadGroups []jobstore.DeadGroup

func (s *Service) readDeadGroups(ctx context.Context) (deadGroups, error) {
	return s.store.DeadGroups(ctx)
}

func (all deadGroups) photos() (n int) {
	for _, g := range all {
		n += g.Photos
	}
	return n
}

// failing is what Failures shows beside the numbers. What of it the broker knows is
// unknown while that is away; the rest is shown all the same.
type failing struct {
	samples map[deadKind]sampled
	strays  map[job.Code]int // letters in DEAD that belong to no photo
	trial   trialAnswer
	unknown bool
}

// deadKind is what the photos of a group have in common.
type deadKind struct {
	reason job.Code
	model  job.Model
}

// sampled are a few photos of a group as it was then.
type sampled struct {
	of   jobstore.DeadGroup
	list []webui.Sample
}

// failingReader reads what Failures shows, and the samples of a group only once that
// has changed.
func failingReader(s *Service) func(context.Context) (failing, error) {
	turn := make(chan map[deadKind]sampled, 1) // who holds it reads; it has the last samples
	turn <- nil
	return func(ctx context.Context) (failing, error) {
		var known map[deadKind]sampled
		select {
		case known = <-turn:
		case <-ctx.Done():
			return failing{}, ctx.Err()
		}
		defer func() { turn <- known }()
		groups, _ := s.board.groups.last()
		now := failing{samples: map[deadKind]sampled{}}
		for _, g := range groups[:min(len(groups), sampledGroups)] {
			kind := deadKind{g.Reason, g.Model}
			one := known[kind]
			if one.of != g {
				list, err := s.samplesOf(ctx, g)
				if err != nil {
					return failing{}, err
				}
				one = sampled{g, list}
			}
			now.samples[kind] = one
		}
		known = now.samples
		if err := s.askBroker(ctx, &now); err != nil {
			s.tel.Log.DebugContext(ctx, "failures shown without what the broker knows", "err", err)
			now.unknown = true
		}
		return now, nil
	}
}

// askBroker reads what of the failures MySQL does not know.
func (s *Service) askBroker(ctx context.Context, f *failing) (err error) {
	if f.trial, err = s.showTrial(ctx, struct{}{}); err != nil {
		return err
	}
	f.strays = map[job.Code]int{}
	for _, reason := range strays() {
		if f.strays[reason], err = s.queue.CountDeadLetters(ctx, string(reason)); err != nil {
			return err
		}
	}
	return nil
}

// samplesOf gives the newest photos of a group. What crashed the decoder is not put
// before a person unasked: their browser decodes it, too.
func (s *Service) samplesOf(ctx context.Context, g jobstore.DeadGroup) ([]webui.Sample, error) {
	photos, err := s.store.SearchPhotos(ctx, jobstore.Search{Dead: true, Code: g.Reason, Model: g.Model, Limit: samples})
	var list []webui.Sample
	for _, p := range photos {
		list = append(list, webui.Sample{
			ID: p.ID.String(), Name: nameOf(p),
			Shown: p.OriginalKey != "" && !slices.Contains([]job.Code{job.CodeDecoderCrashed, job.CodeDecodeFailed, job.CodeUnsupportedFormat}, g.Reason),
		})
	}
	return list, err
}

// countFailures counts them for somebody who asks for a page, unless that takes long:
// they may have dealt with some a moment ago.
func (b *board) countFailures(ctx context.Context) {
	if !b.groups.resting() {
		b.groups.once(ctx)
	}
}
