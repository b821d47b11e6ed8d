package login

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// names folds to lower case and counts how often.
type names struct {
	folded int
	err    error
}

func (n *names) Fold(_ context.Context, name string) (string, error) {
	n.folded++
	return strings.ToLower(name), n.err
}

// tally counts by key and refuses nobody.
type tally map[string]int

func (c tally) Allow(_ context.Context, key string, _ int, _ time.Duration) (bool, time.Duration, error) {
	c[key]++
	return true, 0, nil
}

func (c tally) Peek(context.Context, string, int) (bool, time.Duration, error) {
	return true, 0, nil
}

func TestNameOfATryIsFoldedOnce(t *testing.T) {
	t.Parallel()
	known, counted := &names{}, tally{}
	tries := &Tries{names: known, limits: counted}
	try := tries.Of("Anna", "192.0.2.7")
	for _, step := range []func(context.Context) error{try.count, try.Look, try.Failed} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if known.folded != 1 {
		t.Errorf("folded %d times", known.folded)
	}
	if err := tries.Of("ANNA", "192.0.2.7").Failed(t.Context()); err != nil {
		t.Fatal(err)
	}
	for key, n := range counted {
		if strings.HasPrefix(key, countedFailures) && n != 2 {
			t.Errorf("%s was counted %d times, want 2: it is one name", key, n)
		}
	}
}

func TestNameThatCouldNotBeFoldedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	known, counted := &names{err: errors.New("away")}, tally{}
	try := (&Tries{names: known, limits: counted}).Of("anna", "192.0.2.7")
	if err := try.Look(t.Context()); err == nil {
		t.Error("a try was let through whose name is not known")
	}
	known.err = nil
	if err := try.Failed(t.Context()); err != nil || len(counted) != 3 {
		t.Errorf("%v, counted %v, want three limits", err, counted)
	}
}
