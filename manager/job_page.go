package manager

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui"
)

// jobPage is a photo as operators see it.
func jobPage(p job.Photo, a photoAnswer) webui.JobPage {
	page := webui.JobPage{
		JobRow: jobRow(a.listed), Source: string(p.Source), ContentType: p.ContentType, Bytes: p.Bytes,
		Width: p.Width, Height: p.Height, SHA256: p.SHA256, Trace: p.TraceParent,
		Picture: p.AnnotatedKey != "", Original: p.OriginalKey != "",
		MayRetry:  p.Row.State == job.StateFailed || p.Row.State == job.StateExpired,
		MayCancel: p.Row.State == job.StateQueued,
		Row:       rowFacts(p), Lease: p.LeaseOver,
	}
	if p.BatchID != (uuid.UUID{}) {
		page.JobRow.Lane, page.Batch = p.Lane, p.BatchID.String()
	}
	if page.Link = p.Link; p.Source == job.SourceSigned {
		page.Link, page.Upload = "", p.Link
	}
	page.Vain = vain(p.Failure)
	for _, name := range slices.Sorted(maps.Keys(p.Metadata)) {
		page.Metadata = append(page.Metadata, webui.Fact{Name: name, Value: p.Metadata[name]})
	}
	if f := a.Failure; f != nil {
		page.Failure, page.Cause, page.Model = f.Message, f.Cause, modelWords(f.Model)
	}
	if p.Result != nil {
		t := p.Result.Timing
		page.Faces, page.Model = job.Count(p.Result.Faces), modelWords(p.Result.Model)
		page.Timing = []webui.Fact{
			{Name: "Waited", Value: webui.Duration(t.Queued)}, {Name: "Fetching", Value: webui.Duration(t.Fetch)},
			{Name: "Looking for faces", Value: webui.Duration(t.Inference)}, {Name: "In all", Value: webui.Duration(t.Total)},
		}
	}
	page.Message = messageWords(a.Message)
	page.Timeline = moments(withAcceptance(a.Timeline, p))
	if len(page.Timeline) > 0 {
		page.Began = utc(page.Timeline[0].At)
	}
	return page
}

func messageWords(m messageAnswer) string {
	if !m.Live {
		return "none"
	}
	return "publication " + strconv.Itoa(m.Publication) + " waits or is in hand"
}

func rowFacts(p job.Photo) []webui.Fact {
	r := p.Row
	yes := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	facts := []webui.Fact{
		{Name: "Attempts", Value: fmt.Sprintf("%d of %d", r.Attempts, job.MaxAttempts)},
		{Name: "Slot deaths", Value: strconv.Itoa(r.SlotDeaths)},
		{Name: "Fence", Value: strconv.Itoa(r.Fence)},
		{Name: "Publication", Value: strconv.Itoa(r.Publication)},
		{Name: "Seen on the broker", Value: yes(r.Confirmed)},
	}
	if p.Row.State == job.StateFailed {
		facts = append(facts, webui.Fact{Name: "Dead letter written", Value: yes(r.DeadLetter)})
	}
	if p.Row.State == job.StateQueued && !r.Due {
		facts = append(facts, webui.Fact{Name: "Next try", Value: utc(p.RunAt)})
	}
	return facts
}

// withAcceptance puts the row's own beginning before events that lack it: nobody
// announces each of the thousands of items of a batch.
func withAcceptance(events []moment, p job.Photo) []moment {
	if len(events) == 0 || events[0].Stage == string(jobqueue.StageAccepted) {
		return events
	}
	fields, err := json.Marshal(map[string]string{"source": string(p.Source), "with": map[bool]string{true: "its batch"}[p.BatchID != (uuid.UUID{})]})
	if err != nil || p.CreatedAt.After(events[0].At) {
		return events
	}
	return append([]moment{{At: p.CreatedAt, Stage: string(jobqueue.StageAccepted), Fields: fields}}, events...)
}

// moments is the timeline in people's words.
func moments(events []moment) []webui.Moment {
	var all []webui.Moment
	for i, e := range events {
		m := webui.Moment{At: e.At, Word: stageWord(jobqueue.Stage(e.Stage)), Class: stageClass(jobqueue.Stage(e.Stage))}
		if i > 0 {
			m.After = max(time.Duration(0), e.At.Sub(events[i-1].At))
		}
		m.Facts = fieldFacts(e.Fields)
		all = append(all, m)
	}
	return all
}

func stageWord(s jobqueue.Stage) string {
	switch s {
	case jobqueue.StageAccepted:
		return "Accepted"
	case jobqueue.StageClaimed:
		return "Claimed by a worker"
	case jobqueue.StageFinished:
		return "Finished"
	case jobqueue.StageFailed:
		return "Failed for good"
	case jobqueue.StageRetrying:
		return "Failed, to be tried again"
	case jobqueue.StageReleased:
		return "Put back, without a charge"
	case jobqueue.StageDeadLettered:
		return "Dead letter written"
	case jobqueue.StageReopened:
		return "Tried again by a person"
	case jobqueue.StageCancelled:
		return "Cancelled by a person"
	}
	return string(s)
}

func stageClass(s jobqueue.Stage) string {
	switch s {
	case jobqueue.StageFinished:
		return "good"
	case jobqueue.StageFailed, jobqueue.StageDeadLettered:
		return "bad"
	case jobqueue.StageRetrying, jobqueue.StageReleased:
		return "warn"
	}
	return ""
}

// fieldFacts are what the teller of an event added, by name. What is no object of
// simple values is left out: it is not the truth anyway.
func fieldFacts(fields json.RawMessage) []webui.Fact {
	var values map[string]any
	if len(fields) == 0 || json.Unmarshal(fields, &values) != nil {
		return nil
	}
	var facts []webui.Fact
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch v := values[name].(type) {
		case string:
			if v != "" {
				facts = append(facts, webui.Fact{Name: words(name), Value: v})
			}
		case float64:
			facts = append(facts, webui.Fact{Name: words(name), Value: strconv.FormatFloat(v, 'f', -1, 64)})
		case bool:
			facts = append(facts, webui.Fact{Name: words(name), Value: strconv.FormatBool(v)})
		}
	}
	return facts
}

// words is a field's name without its underscores.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
