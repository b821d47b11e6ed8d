package ingest

import (
	"slices"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// dueItem is an item that may go to the broker.
type dueItem struct {
	batch uuid.UUID
	jobstore.Waiting
}

// ownersQueue is what one owner has in the lane of batches.
type ownersQueue struct {
	owner   uuid.UUID
	batches []uuid.UUID // the oldest first
	live    int         // items that wait on the broker
	due     []dueItem   // that might follow, in order
}

// byOwner gives the owners of batches, who came first being first.
func byOwner(active []jobstore.ActiveBatch) []ownersQueue {
	var queues []ownersQueue
	for _, b := range active {
		i := slices.IndexFunc(queues, func(q ownersQueue) bool { return q.owner == b.OwnerID })
		if i < 0 {
			i = len(queues)
			queues = append(queues, ownersQueue{owner: b.OwnerID})
		}
		queues[i].batches = append(queues[i].batches, b.ID)
		queues[i].live += b.OnBroker
	}
	return queues
}

// rotate chooses up to room items: each goes to the owner who has the fewest on the
// broker so far. So all have the same share, those who need less leave the rest to
// the others, and who comes late does not wait for what another has yet to send.
func rotate(queues []ownersQueue, room int) (chosen []dueItem) {
	for len(chosen) < room {
		next := -1
		for i, q := range queues {
			if len(q.due) > 0 && (next < 0 || q.live < queues[next].live) {
				next = i
			}
		}
		if next < 0 {
			return chosen
		}
		q := &queues[next]
		chosen = append(chosen, q.due[0])
		q.due = q.due[1:]
		q.live++
	}
	return chosen
}
