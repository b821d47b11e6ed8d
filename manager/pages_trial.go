package manager

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

const (
	usualCanaries = 5              // how many photos are tried first
	shownWorkers  = 100            // that one may be chosen from
	trialShown    = 24 * time.Hour // after it began
)

// trialOf is the trial that began last, with what is left of its group; nil if there was
// none of late.
func trialOf(a trialAnswer, groups []jobstore.DeadGroup) *webui.Trial {
	if a.Worker == "" || time.Since(a.BegunAt) > trialShown {
		return nil
	}
	trial := &webui.Trial{
		Worker: a.Worker, By: a.By, Reason: string(a.Reason), Model: a.Model, BegunAt: a.BegunAt, Until: a.Until, Alive: a.Alive, Lasts: a.Lasts,
		Succeeded: a.Succeeded, Failed: a.Failed, Open: a.Open, Gone: a.Gone, Ends: webui.NewCommand("end-trial", "maskfleet.jobs.dead.trial.end", []byte("{}")),
	}
	for _, p := range a.Photos {
		trial.Tried = append(trial.Tried, webui.Tried{ID: p.ID.String(), Name: p.Name, State: p.State, Code: string(p.Code)})
	}
	i := slices.IndexFunc(groups, func(g jobstore.DeadGroup) bool { return isOf(trial, g) })
	if i >= 0 && a.Failed == 0 { // else the group has those that failed again, and a button of its own
		trial.Rest, trial.Redrive = groups[i].Photos, failureGroup(groups[i]).Redrive()
	}
	return trial
}

func isOf(t *webui.Trial, g jobstore.DeadGroup) bool {
	return t.Reason == string(g.Reason) && t.Model == modelWords(g.Model)
}

// proposeRedrive proposes a few at one worker, and everything once they were tried.
func (s *Service) proposeRedrive(ctx context.Context, page *webui.RedrivePage, group jobstore.DeadGroup) error {
	began, err := s.showTrial(ctx, struct{}{})
	if err != nil {
		return err
	}
	trial := trialOf(began, []jobstore.DeadGroup{group})
	workers, _ := s.board.workers.last()
	page.Workers = canaryWorkers(workers)
	going, _ := s.board.trial.last()
	kept := going.Lasts(time.Now())
	q := redriveRequest{selection: selection{Reason: group.Reason, Model: modelWords(group.Model)}, Limit: usualCanaries, PerSecond: 1, Canary: true}
	if trial != nil && isOf(trial, group) {
		page.Trial = trial
	}
	if page.Trial != nil && trial.Open == 0 && trial.Failed == 0 {
		page.Limit, page.Canary = min(group.Photos, mostDead), false
		page.Trial.Redrive = "" // one is there
	} else if len(page.Workers) > 0 {
		chosen := max(0, slices.IndexFunc(page.Workers, func(w webui.CanaryWorker) bool { return kept && w.ID == going.Worker }))
		page.Workers[chosen].Chosen = true
		q.Worker = page.Workers[chosen].ID
	}
	if kept && q.Worker == "" {
		page.Canary = false // the lane is another's
	}
	q.Limit, q.Canary = page.Limit, page.Canary
	text, err := json.Marshal(q)
	page.Does = webui.NewCommand("does", "maskfleet.jobs.dead.redrive", text)
	return err
}

// canaryWorkers are those that take photos, the idlest first.
func canaryWorkers(workers []jobqueue.Worker) []webui.CanaryWorker {
	var all []webui.CanaryWorker
	for _, w := range workers {
		if !w.Draining {
			all = append(all, webui.CanaryWorker{ID: w.ID, Model: modelWords(w.Model), Busy: w.Busy, Slots: w.Slots})
		}
	}
	slices.SortFunc(all, func(a, b webui.CanaryWorker) int { return cmp.Or(cmp.Compare(a.Busy, b.Busy), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), shownWorkers)]
}
