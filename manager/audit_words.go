package manager

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// auditSays is how much an action was, in a few words, so that nobody has to unfold a
// record for it; empty if there is nothing to count.
func auditSays(a jobstore.Audit) string {
	if ofScaler(a) && a.Action == "worker.drain" {
		return "before its instance goes"
	}
	asked, came := document(a.Detail["request"]), document(a.Detail["answer"])
	if a.Detail["report"] != "" {
		came = document(a.Detail["report"])
	}
	switch a.Action {
	case "scaler.resize", "scaler.grow", "scaler.shrink", "scaler.terminate-all":
		return join(came.arrow("was", "size", "instances"), asked.text("why"))
	case "scaler.drain", "scaler.destroy", "worker.drain":
		return join(came.count("in_hand", "photo in hand", "photos in hand"), asked.text("why"))
	case "scaler.pause", "scaler.resume":
		return asked.text("why")
	case "jobs.retry":
		return came.count("retried", "photo", "photos")
	case "jobs.cancel":
		return came.count("cancelled", "photo", "photos")
	case "jobs.dead.redrive":
		return join(came.count("redriven", "photo", "photos"), asked.text("reason"), at(asked.text("worker")))
	case "jobs.dead.discard":
		return join(came.count("discarded", "photo", "photos"), asked.text("reason"))
	case "jobs.dead.trial.end":
		return at(came.text("worker"))
	case "lanes.pause", "intake.pause":
		return join(came.until("paused_until"), asked.text("reason"))
	case "data.erase":
		return came.within("found").count("photos", "photo", "photos")
	case "data.erased":
		return came.count("marked", "photo", "photos")
	}
	return ""
}

// ofScaler says that no person asked: the scaler did so itself, over its own connection.
func ofScaler(a jobstore.Audit) bool {
	return a.Actor == "scaler" && a.Detail["via"] == string(command.ViaNATS)
}

// fields are what of a request or an answer was kept. The log cuts long ones: what comes
// before the cut counts.
type fields map[string]json.RawMessage

func document(text string) fields {
	all := fields{}
	d := json.NewDecoder(strings.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return all
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if key, is := name.(string); is {
			all[key] = value
		}
	}
	return all
}

func (f fields) number(name string) (n int, there bool) {
	return n, f[name] != nil && json.Unmarshal(f[name], &n) == nil
}

func (f fields) text(name string) (text string) {
	_ = json.Unmarshal(f[name], &text) // without one it is empty
	return text
}

func (f fields) within(name string) fields { return document(string(f[name])) }

func (f fields) count(name, one, many string) string {
	n, there := f.number(name)
	if !there {
		return ""
	}
	return webui.Count(n, one, many)
}

func (f fields) arrow(from, to, what string) string {
	was, known := f.number(from)
	is, there := f.number(to)
	if !known || !there {
		return ""
	}
	return strconv.Itoa(was) + " \u2192 " + strconv.Itoa(is) + " " + what
}

func (f fields) until(name string) string {
	t, err := time.Parse(time.RFC3339Nano, f.text(name))
	if err != nil {
		return ""
	}
	return "until " + utc(t)
}

func at(worker string) string {
	if worker == "" {
		return ""
	}
	return "at " + worker
}

// join leaves out what is empty.
func join(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}
