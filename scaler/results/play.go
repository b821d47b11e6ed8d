package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"maskfleet/pkg/client/load"
	"maskfleet/scaler/decide"
)

// Options say what is played.
type Options struct {
	Program string        // the maskfleet command
	Folder  string        // of photos
	Phases  string        // as `maskfleet load` reads them
	Calm    time.Duration // how long to wait at most until the fleet is at its least, before and after
	Told    io.Writer     // how it goes, for a person
}

// Sample is the product at one moment.
type Sample struct {
	At        time.Duration // since the load began
	Offered   float64       // uploads a second
	Arrivals  float64       // photos a second, as the scaler knows them
	Waiting   float64
	InFlight  float64
	CPU       float64 // mean of the workers, 0 to 1
	Ready     int
	Starting  int
	Draining  int
	Target    int
	Wait      float64 // seconds, the longest of the photos that came in this one
	Seen      int     // photos that came in it
	Reason    string
	following decide.Policy
}

// Scenario is one policy under the load.
type Scenario struct {
	Policy  decide.Policy
	Began   time.Time
	Phases  []load.Phase
	Report  load.Report
	Samples []Sample
	photos  []photo
}

const sampleEvery = time.Second

// Play plays the load under a kind of policy. Whatever policy was in force before is
// again afterwards.
func (s *Site) Play(ctx context.Context, kind decide.Kind, o Options) (sc Scenario, err error) {
	before, err := s.policy(ctx)
	if err != nil {
		return sc, err
	}
	sc.Policy = before
	sc.Policy.Kind = kind
	if sc.Phases, err = load.ParsePhases(o.Phases); err != nil {
		return sc, err
	}
	if err := s.follow(ctx, sc.Policy); err != nil {
		return sc, err
	}
	defer func() { err = errors.Join(err, s.follow(context.WithoutCancel(ctx), before)) }()
	fmt.Fprintf(o.Told, "%s: waiting until the fleet is at its least\n", kind)
	if err := s.awaitCalm(ctx, o.Calm, nil); err != nil {
		return sc, fmt.Errorf("the fleet does not come to its least before the load: %w", err)
	}
	fmt.Fprintf(o.Told, "%s: playing %s\n", kind, o.Phases)
	sc.Began = time.Now()
	played := make(chan error, 1)
	go func() { played <- s.send(ctx, o, &sc.Report) }()
	if err := s.sampleUntil(ctx, &sc, played); err != nil {
		return sc, err
	}
	if err := s.awaitCalm(ctx, o.Calm, &sc); err != nil {
		fmt.Fprintf(o.Told, "%s: %v\n", kind, err) // a finding, too
	}
	if sc.photos, err = s.photos(ctx, sc.Began); err != nil {
		return sc, err
	}
	sc.noteWaits()
	return sc, nil
}

// send runs `maskfleet load`.
func (s *Site) send(ctx context.Context, o Options, report *load.Report) error {
	cmd := exec.CommandContext(ctx, o.Program, "load", s.stack.URLs.Web, s.stack.Administrator.Username, s.stack.Administrator.Password, o.Folder,
		"--phases", o.Phases, "--keep-alive", "--json")
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, os.Stderr
	runErr := cmd.Run() // not 0 if a connection broke, which the report tells
	if err := json.Unmarshal(printed.Bytes(), report); err != nil {
		return fmt.Errorf("running maskfleet load: %w", errors.Join(runErr, err))
	}
	return nil
}

func (s *Site) sampleUntil(ctx context.Context, sc *Scenario, played <-chan error) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-played:
			return err
		case <-tick.C:
			if _, err := s.sample(ctx, sc); err != nil {
				return err
			}
		}
	}
}

// awaitCalm waits until nothing waits and the fleet is at its least, and samples
// meanwhile if there is something to be sampled.
func (s *Site) awaitCalm(ctx context.Context, limit time.Duration, sc *Scenario) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	var aside Scenario // samples that nobody wants
	if sc == nil {
		sc = &aside
		sc.Began = time.Now()
	}
	for ends := time.Now().Add(limit); ; {
		now, err := s.sample(ctx, sc)
		if err != nil {
			return err
		}
		least := now.following.Min
		if now.Ready == least && now.Starting+now.Draining == 0 && now.Target == least && now.Waiting+now.InFlight == 0 {
			return nil
		}
		if time.Now().After(ends) {
			return fmt.Errorf("after %s there are %d instances and %d drain, of at least %d", limit, now.Ready+now.Starting, now.Draining, least)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// sample asks how things are. A scaler that does not answer for a moment leaves a gap.
func (s *Site) sample(ctx context.Context, sc *Scenario) (Sample, error) {
	now, err := s.status(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return Sample{}, ctx.Err()
		}
		return Sample{Ready: -1}, nil
	}
	at, in := time.Since(sc.Began), now.Decision.Inputs
	known := func(x *float64) float64 {
		if x == nil {
			return 0
		}
		return *x
	}
	sample := Sample{
		At: at, Offered: offered(sc.Phases, at), Arrivals: known(in.ArrivalsPerSecond), Waiting: known(in.Waiting), InFlight: known(in.InFlight),
		CPU: known(in.CPU), Ready: now.Fleet.Ready, Starting: now.Fleet.Starting, Draining: now.Fleet.Draining + now.Fleet.Failed,
		Target: now.Decision.Target, Reason: now.Decision.Reason, following: *now.Policy,
	}
	sc.Samples = append(sc.Samples, sample)
	return sample, nil
}

// offered is how many uploads a second begin at a time.
func offered(phases []load.Phase, at time.Duration) float64 {
	for _, p := range phases {
		if at < p.Length {
			return p.From + (p.To-p.From)*at.Seconds()/p.Length.Seconds()
		}
		at -= p.Length
	}
	return 0
}

// noteWaits gives each sample the photos that came since the one before.
func (sc *Scenario) noteWaits() {
	next := 0
	for i := range sc.Samples {
		for next < len(sc.photos) && sc.photos[next].at <= sc.Samples[i].At {
			sc.Samples[i].Seen++
			sc.Samples[i].Wait = max(sc.Samples[i].Wait, sc.photos[next].wait.Seconds())
			next++
		}
	}
}
