package results

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"maskfleet/pkg/client"
	"maskfleet/pkg/config"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/scaler/decide"
)

// Stack is what is needed of a stack.json.
type Stack struct {
	PID           int    `json:"pid"`
	APIKey        string `json:"api_key"`
	Administrator struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"administrator"`
	URLs struct {
		Web string `json:"web"`
	} `json:"urls"`
	NATS struct {
		URL      string `json:"url"`
		User     string `json:"user"`
		Password string `json:"password"`
	} `json:"nats"`
	Instances map[string]struct {
		Type string `json:"type"`
	} `json:"instances"`
}

// ReadStack gives the stack that runs; running is false if none does.
func ReadStack(path string) (s Stack, running bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Stack{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return Stack{}, false, fmt.Errorf("reading what runs: %w", err)
	}
	return s, s.PID > 0 && syscall.Kill(s.PID, 0) == nil, nil
}

// types names the kinds of instances there are.
func (s Stack) types() []string {
	kinds := map[string]bool{}
	for _, i := range s.Instances {
		kinds[i.Type] = true
	}
	return slices.Sorted(maps.Keys(kinds))
}

// Site is the running product.
type Site struct {
	stack Stack
	queue *jobqueue.Queue
	api   *client.Client
}

// Open connects to what runs; Close ends that.
func Open(ctx context.Context, stack Stack, log *slog.Logger) (*Site, error) {
	login, err := config.Load[jobqueue.Config]([]string{
		"NATS_URL=" + stack.NATS.URL, "NATS_USER=" + stack.NATS.User, "NATS_PASSWORD=" + stack.NATS.Password,
	})
	if err != nil {
		return nil, err
	}
	s := &Site{stack: stack}
	if s.api, err = client.New(client.Config{URL: stack.URLs.Web, Key: stack.APIKey}); err != nil {
		return nil, err
	}
	if s.queue, err = jobqueue.Open(ctx, login, log); err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends the connections.
func (s *Site) Close() { s.queue.Close() }

// status is what is needed of the answer of maskfleet.scaler.status.
type status struct {
	Fleet struct {
		Ready    int `json:"ready"`
		Starting int `json:"starting"`
		Draining int `json:"draining"`
		Failed   int `json:"failed"`
	} `json:"fleet"`
	Decision *decide.Decision `json:"decision"`
	Policy   *decide.Policy   `json:"policy"`
}

// askTimeout bounds one question to the scaler.
const askTimeout = 3 * time.Second

func ask[A any](ctx context.Context, s *Site, what string, request any) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return command.Ask[A](ctx, s.queue, "maskfleet.scaler."+what, command.Asker{Via: command.ViaNATS}, request)
}

func (s *Site) status(ctx context.Context) (status, error) {
	now, err := ask[status](ctx, s, "status", struct{}{})
	if err == nil && (now.Decision == nil || now.Policy == nil) {
		err = errors.New("the scaler has not decided anything yet")
	}
	return now, err
}

// policy gives the one in force.
func (s *Site) policy(ctx context.Context) (decide.Policy, error) {
	answer, err := ask[struct {
		InForce decide.Policy `json:"in_force"`
	}](ctx, s, "policy", struct{}{})
	return answer.InForce, err
}

// follow puts a policy.
func (s *Site) follow(ctx context.Context, p decide.Policy) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = ask[struct{}](ctx, s, "policy.put", map[string]json.RawMessage{"policy": text})
	return err
}

// photo is one that was accepted.
type photo struct {
	at       time.Duration // since the beginning
	wait     time.Duration // until a worker took it; -1: none did yet
	attempts int
	status   client.Status
}

// photos gives what the account sent since a time, the oldest first.
func (s *Site) photos(ctx context.Context, since time.Time) (all []photo, err error) {
	for d, err := range s.api.Detections(ctx, client.DetectionFilter{From: since}) {
		if err != nil {
			return nil, err
		}
		p := photo{at: d.CreatedAt.Sub(since), wait: -1, attempts: d.Attempts, status: d.Status}
		if d.Timing != nil {
			p.wait = time.Duration(d.Timing.Queued) * time.Millisecond
		}
		all = append(all, p)
	}
	slices.Reverse(all)
	return all, nil
}
