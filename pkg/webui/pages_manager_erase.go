package webui

import "time"

// ErasureRow is an erasure, going on or done.
type ErasureRow struct {
	ID, What, AskedBy   string
	At, DoneAt          time.Time // DoneAt is zero while it goes on
	Found, Marked, Left int       // photos: there were, nobody finds any more, still being removed
	Trouble             string    // why it does not go on
	Facts               []Fact
	Remains             []string
}

// Done is how much of it is done, 0 to 1: finding nothing is half, removing the other.
func (e ErasureRow) Done() float64 {
	if !e.DoneAt.IsZero() || e.Found == 0 {
		return 1
	}
	marked := min(float64(e.Marked)/float64(e.Found), 1)
	return marked/2 + max(0, marked-float64(e.Left)/float64(e.Found))/2
}

// ErasePage fills page "erase".
type ErasePage struct {
	Frame
	At       time.Time
	Today    string
	Troubles []Trouble
	Erasures []ErasureRow
	Read     Reading
}
