package main

import (
	"fmt"
	"io"
	"time"
)

// steps prints what is being done, one line each, with the time it took:
//
//	building     slot                                            12.3 s
type steps struct {
	out io.Writer
}

// step prints the beginning of a line and returns what ends it.
func (s steps) step(verb, what string) func(error) {
	fmt.Fprintf(s.out, "%-12s %-56s ", verb, what)
	began := time.Now()
	return func(err error) {
		if err != nil {
			fmt.Fprintln(s.out, "failed")
			return
		}
		fmt.Fprintf(s.out, "%6.1f s\n", time.Since(began).Seconds())
	}
}

// do is one step that is one call.
func (s steps) do(verb, what string, act func() error) error {
	done := s.step(verb, what)
	err := act()
	done(err)
	return err
}

func (s steps) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }
