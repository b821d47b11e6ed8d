package manager

import (
	"context"

	"maskfleet/pkg/jobstore"
)

// countedOften is up to how many failures are counted with each reading. More take too
// long for that: they are counted with the totals.
const countedOften = 2000

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

// countFailures counts them for somebody who asks for a page, unless that takes long:
// they may have dealt with some a moment ago.
func (b *board) countFailures(ctx context.Context) {
	if !b.groups.resting() {
		b.groups.once(ctx)
	}
}
