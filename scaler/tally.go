package scaler

import (
	"maps"
	"time"
)

// tally holds where a counter of each process stood last. Each counts from 0 with its
// process, so only the difference of two readings of one process means something.
type tally map[string]counter

type counter struct {
	startedAt, heard time.Time
	value            float64
}

// rise takes in a reading, which may have been taken in before, and gives by how much
// the counter rose since the one before. One that began anew, or is met for the first
// time and began after since, counts from 0.
func (t tally) rise(process string, now counter, since time.Time) float64 {
	before, known := t[process]
	if known && !now.heard.After(before.heard) {
		return 0
	}
	t[process] = now
	switch {
	case known && before.startedAt.Equal(now.startedAt):
		return max(0, now.value-before.value)
	case known, now.startedAt.After(since):
		return now.value
	}
	return 0
}

// forget leaves out who has not been heard since.
func (t tally) forget(since time.Time) {
	maps.DeleteFunc(t, func(_ string, c counter) bool { return c.heard.Before(since) })
}
