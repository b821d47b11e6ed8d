package load

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Photo is a file to be uploaded, held in memory: reading it must not hold up the
// loop.
type Photo struct {
	Name string
	Data []byte
}

// Config says what is sent where, and how fast.
type Config struct {
	URL                string // of the front door, or of its /api/upload
	Username, Password string
	Photos             []Photo // sent in turn
	Phases             []Phase

	// Timeout is for how long an answer is waited for; zero: a minute. The front door
	// itself waits 30 s for a result.
	Timeout time.Duration
	// Reuse says whether connections are used again, which the course's generator
	// does not do.
	Reuse Reuse
	// Seen, if not nil, is told every second how it stands.
	Seen func(Snapshot)
}

// Reuse says what happens to a connection after an answer.
type Reuse string

// What can happen to a connection.
const (
	NewConnections  Reuse = ""
	KeepConnections Reuse = "keep"
)

// Snapshot is how a run stands.
type Snapshot struct {
	Elapsed  time.Duration
	Sent     int
	InFlight int
	Good     int // answered with a result
	Bad      int // answered otherwise, or not at all
}

// Run sends everything and waits for the answers. When ctx ends it sends no more, and
// waits for what is under way.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if len(cfg.Photos) == 0 {
		return Report{}, errors.New("there are no photos to send")
	}
	if len(cfg.Phases) == 0 {
		return Report{}, errors.New("there is no phase to send in")
	}
	target, err := uploadURL(cfg.URL)
	if err != nil {
		return Report{}, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = cfg.Reuse == NewConnections
	transport.MaxIdleConnsPerHost = 1000
	defer transport.CloseIdleConnections()
	r := &run{
		cfg: cfg, target: target, http: &http.Client{Transport: transport, Timeout: cfg.Timeout},
		began: time.Now(), tallies: make([]tally, len(cfg.Phases)),
	}
	r.send(ctx)
	return r.report(), nil
}

func uploadURL(given string) (string, error) {
	at, err := url.Parse(given)
	if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return "", errors.New("the address must be like http://127.0.0.1:8080 or http://127.0.0.1:8080/api/upload")
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = "/api/upload"
	}
	return at.String(), nil
}

type run struct {
	cfg    Config
	target string
	http   *http.Client
	began  time.Time

	uploads sync.WaitGroup

	mu       sync.Mutex // guards what follows
	tallies  []tally    // by phase
	snapshot Snapshot
}

// send begins every upload at its time, and returns when all have ended.
func (r *run) send(ctx context.Context) {
	told, stop := context.WithCancel(context.WithoutCancel(ctx))
	var teller sync.WaitGroup
	teller.Go(func() { r.tell(told) })
	defer teller.Wait()
	defer stop()
	defer r.uploads.Wait()

	next := 0 // photo
	phaseBegins := r.began
	for i, phase := range r.cfg.Phases {
		for at := range phase.due() {
			due := phaseBegins.Add(at)
			if !sleepUntil(ctx, due) {
				return
			}
			photo := r.cfg.Photos[next%len(r.cfg.Photos)]
			next++
			r.begin(i, time.Since(due))
			r.uploads.Go(func() {
				answer := r.upload(context.WithoutCancel(ctx), photo)
				answer.latency = time.Since(due)
				r.end(i, answer)
			})
		}
		phaseBegins = phaseBegins.Add(phase.Length)
		if !sleepUntil(ctx, phaseBegins) {
			return
		}
	}
}

// sleepUntil says whether the time came before ctx ended.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (r *run) begin(phase int, late time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Sent++
	r.snapshot.InFlight++
	t := &r.tallies[phase]
	t.sent++
	t.late = max(t.late, late)
}

func (r *run) end(phase int, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.InFlight--
	if a.good {
		r.snapshot.Good++
	} else {
		r.snapshot.Bad++
	}
	r.tallies[phase].add(a)
}

func (r *run) tell(ctx context.Context) {
	if r.cfg.Seen == nil {
		return
	}
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		now := r.snapshot
		r.mu.Unlock()
		now.Elapsed = time.Since(r.began)
		r.cfg.Seen(now)
	}
}
