package manager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

const (
	mostIDs      = 500              // that one request may name
	longCommand  = 60 * time.Second // of those that change many photos
	usualListing = 50
	longestList  = 200
	longestPause = 7 * 24 * time.Hour

	longestDearSearch = 24 * time.Hour // of photos of all owners, for what no index knows
)

// exampleID and exampleMoment are for the examples of `nats micro info`.
func exampleID() job.ID { return uuid.MustParse("0199d3a2-6c1e-7b04-9d57-3f2a8c51e6b0") }

func exampleMoment() time.Time { return time.Date(2026, time.March, 1, 12, 30, 0, 0, time.UTC) }

// exampleFailure is a photo that failed.
func exampleFailure() job.Photo {
	at := exampleMoment()
	return job.Photo{
		ID: exampleID(), Lane: job.LaneInteractive, Source: job.SourceUpload, Filename: "gate.jpg", ContentType: "image/jpeg",
		Bytes: 182734, Width: 1280, Height: 960, CreatedAt: at, WorkerID: "local-1", RunAt: at.Add(3 * time.Second),
		ClaimedAt: at.Add(4 * time.Second), DoneAt: at.Add(5 * time.Second),
		Row:     job.Row{State: job.StateFailed, Publication: 1, Fence: 2, Attempts: 2, SlotDeaths: 2, Confirmed: true, Due: true, DeadLetter: true},
		Failure: &job.Failure{Code: job.CodeDecoderCrashed, Model: job.Model{Name: "maskfleet", Version: "3"}, Cause: errors.New("signal: killed")},
	}
}

// commands is everything that can be asked of the manager, beside its pages.
func (s *Service) commands() []command.Command {
	return slices.Concat(s.photoCommands(), s.deadCommands(), s.pauseCommands(), s.eraseCommands())
}

// answerCommands offers the commands until ctx ends.
func (s *Service) answerCommands(ctx context.Context) error {
	withdraw, err := s.answers.Offer(command.Service{
		Name:  "maskfleet-manager",
		Does:  "Jobs, lanes and the intake of the whole fleet.",
		Stats: s.stats,
	}, s.commands()...)
	if err != nil {
		return err
	}
	<-ctx.Done()
	withdraw()
	return nil
}

// stats are the manager's own numbers, as the board read them last.
func (s *Service) stats() any {
	states, _ := s.board.photos.last()
	workers, _ := s.board.workers.last()
	dead, _ := s.board.dead.last()
	return struct {
		Workers     int               `json:"workers"`
		Photos      map[job.State]int `json:"photos"`
		DeadLetters int               `json:"dead_letters"`
	}{len(workers), states, dead}
}

// ids are photos that a request names.
type ids []job.ID

// check refuses a list that is empty or too long.
func (list ids) check() error {
	if len(list) == 0 || len(list) > mostIDs {
		return command.InvalidField("ids", fmt.Sprintf("names %d photos, not 1 to %d", len(list), mostIDs))
	}
	return nil
}

// Concerns is what the audit log notes as the subject: the photo, if it is one.
func (list ids) Concerns() string {
	if len(list) != 1 {
		return ""
	}
	return list[0].String()
}

// refusal is a photo of a list for which the command was not done.
type refusal struct {
	ID     job.ID `json:"id"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func notThere(id job.ID) refusal {
	return refusal{id, problem.CodeNotFound, "There is no such photo."}
}

func notNow(id job.ID, detail string) refusal { return refusal{id, problem.CodeConflict, detail} }

// oneOf checks a field that has a closed set of values; empty is none.
func oneOf[T ~string](field string, value T, all []T) error {
	if value == "" || slices.Contains(all, value) {
		return nil
	}
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return command.InvalidField(field, "is none of "+strings.Join(words, ", "))
}

// owner finds an account by the name that a request gives; the zero one for none.
func (s *Service) owner(ctx context.Context, username string) (jobstore.User, error) {
	if username == "" {
		return jobstore.User{}, nil
	}
	user, err := s.store.FindUserByName(ctx, username)
	if errors.Is(err, jobstore.ErrNotFound) {
		return jobstore.User{}, problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such account.").
			WithField("owner", "is nobody's name").WithCause(err)
	}
	return user, err
}
