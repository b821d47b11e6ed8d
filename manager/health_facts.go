package manager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"maskfleet/pkg/cache"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// diskRows say what of each store outlives a loss of power.
func (b *board) diskRows() []webui.DiskRow {
	d := b.descriptions
	mysql, mysqlRead := d.mysql.last()
	broker, brokerRead := d.broker.last()
	redis, redisRead := d.redis.last()
	rows := []webui.DiskRow{mysqlDisk(mysql), brokerDisk(broker.syncing), redisDisk(redis)}
	for i, read := range []webui.Reading{mysqlRead, brokerRead, redisRead} {
		rows[i].Read = read
	}
	return rows
}

func mysqlDisk(m jobstore.Server) webui.DiskRow {
	row := webui.DiskRow{Store: "MySQL", Word: "Every commit", Safe: true, Note: "What was accepted is on its disk before anybody is told so."}
	if m.FlushLog != 1 {
		row.Word, row.Safe = "Up to a second late", false
		row.Note = fmt.Sprintf("A loss of power loses photos that were accepted: innodb_flush_log_at_trx_commit is %d, and should be 1.", m.FlushLog)
	}
	switch {
	case !m.Binlog:
		row.Note += " There is no binary log."
	case m.SyncBinlog == 1:
		row.Note += " The binary log is written with it."
	default:
		row.Note += fmt.Sprintf(" The binary log is written late: sync_binlog is %d.", m.SyncBinlog)
	}
	return row
}

// brokerDisk is about the broker. What it loses is published again from the rows.
func brokerDisk(s *jobqueue.Syncing) webui.DiskRow {
	row := webui.DiskRow{Store: "NATS", Safe: true}
	switch {
	case s == nil:
		row.Note = "The broker tells it at its monitor alone, and NATS_MONITOR_URL names none that answers. What it loses is published again: the row in MySQL is the promise."
	case s.Always:
		row.Word, row.Note = "Every message", "It is on its disk before anybody is told so (sync_interval: always)."
	default:
		row.Word, row.Note = "Every "+webui.Duration(s.Every), "What a loss of power takes is published again: the row in MySQL is the promise."
	}
	return row
}

func redisDisk(r cache.Server) webui.DiskRow {
	row := webui.DiskRow{Store: "Redis", Safe: true, Word: "Each change", Note: "It is appended to its file as it comes (appendonly)."}
	if !r.AppendOnly {
		row.Word, row.Note = "From time to time", webui.Count(r.Unsaved, "change", "changes")+" since "+utc(r.SavedAt)+"."
	}
	row.Note += " What it loses are sessions, so that people log in again, and results, which MySQL has."
	return row
}

// apart is from when on clocks count as apart: far more than a message takes, far less
// than a lease lasts.
const apart = 2 * time.Second

// clocks are those of the others, held against ours.
func (b *board) clocks() []webui.ClockRow {
	var rows []webui.ClockRow
	add := func(of, note string, ahead time.Duration, read webui.Reading) {
		rows = append(rows, webui.ClockRow{Of: of, Note: note, Ahead: ahead, Apart: ahead.Abs() > apart, Read: read})
	}
	mysql, read := b.descriptions.mysql.last()
	add("MySQL", "leases of photos go by it", mysql.Clock, read)
	broker, read := b.descriptions.broker.last()
	add("NATS", "signs of life and pauses go by it", broker.ahead, read)
	workers, read := b.workers.last()
	var (
		furthest time.Duration
		whose    string
		told     int
	)
	for _, w := range workers {
		ahead, known := w.Clock()
		if !known {
			continue
		}
		told++
		if ahead += broker.ahead; whose == "" || ahead.Abs() > furthest.Abs() {
			furthest, whose = ahead, w.ID
		}
	}
	if told == 0 {
		read = webui.Reading{}
	}
	note := "the times in a worker's log go by its own"
	if whose != "" {
		note = "the furthest of " + webui.Number(told) + ": " + whose
	}
	add("Workers", note, furthest, read)
	return rows
}

// duty is something that one process does for all.
type duty struct {
	name, does string
	lease      *jobqueue.Lease // nil: nobody has it
	did        *jobqueue.Deed  // what was done last, if doors tell it
}

// doorsHeard is how far back doors are listened to: those that are there tell every few
// seconds what they did last.
const doorsHeard = 30 * time.Second

// readDuties asks who has the leases, and the doors what they did.
func (s *Service) readDuties(ctx context.Context) ([]duty, error) {
	all := []duty{
		{name: "scaler", does: "Decides how many instances there are"},
		{name: "dispatcher", does: "Gives the batches’ photos to the queue, each owner in turn"},
		{name: "eraser", does: "Erases what was deleted or is past its time, and holds S3 against the rows"},
	}
	for i := range all {
		var err error
		if all[i].lease, err = s.queue.ReadLease(ctx, all[i].name); err != nil {
			return nil, err
		}
	}
	doors, err := s.queue.DoorReadings(ctx, "", doorsHeard)
	if err != nil { // who acts is known all the same
		s.tel.Log.WarnContext(ctx, "what doors did for all not read", "err", err)
		return all, nil
	}
	for _, d := range doors {
		all[1].did, all[2].did = later(all[1].did, d.Dispatched), later(all[2].did, d.Erased)
	}
	return all, nil
}

func later(a, b *jobqueue.Deed) *jobqueue.Deed {
	if a == nil || b != nil && b.At.After(a.At) {
		return b
	}
	return a
}

// holderWords are who has a lease: the instance of a door, or the run of a scaler.
func holderWords(holder string) (who, instance string) {
	if on, _, is := strings.Cut(holder, " "); is {
		return on, on
	}
	const enough = len("scaler-01a22409-d83e") // of an id, to find it in a log
	return holder[:min(len(holder), enough)], ""
}

// dutyRows are the duties with what is known to have been done.
func (b *board) dutyRows() ([]webui.DutyRow, webui.Reading) {
	duties, read := b.descriptions.duties.last()
	var rows []webui.DutyRow
	for _, d := range duties {
		row := webui.DutyRow{Name: d.name, Does: d.does}
		if d.lease != nil {
			row.Holder, row.RenewedAt = d.lease.Holder, d.lease.RenewedAt
			row.Who, row.Instance = holderWords(d.lease.Holder)
		}
		if d.did != nil {
			row.DidAt, row.Did = d.did.At, map[string]string{"dispatcher": "gave ", "eraser": "erased "}[d.name]+webui.Count(d.did.Photos, "photo", "photos")
			if d.name == "dispatcher" {
				row.Did += " to the queue"
			}
		}
		rows = append(rows, row)
	}
	add := func(name string, at time.Time, words string) {
		i := slices.IndexFunc(rows, func(r webui.DutyRow) bool { return r.Name == name })
		switch {
		case i < 0:
		case rows[i].DidAt.After(at):
			rows[i].Did += "; " + words + " " + webui.Duration(time.Since(at)) + " ago"
		default:
			rows[i].DidAt, rows[i].Did = at, words
		}
	}
	if decided, known := b.decisions.last(); known.Known() && decided.last != nil {
		add("scaler", decided.last.EndedAt, "decided on "+webui.Count(decided.last.Target, "instance", "instances"))
	}
	if sweep, known := b.descriptions.sweep.last(); known.Known() && sweep != nil {
		add("eraser", sweep.At, sweepWords(*sweep))
	}
	return rows, read
}

func sweepWords(w jobstore.Sweep) string {
	if w.Days == 0 {
		return "swept: no day of the bucket had its turn"
	}
	return fmt.Sprintf("swept %s with %s: %s removed that no row names, %s missing", webui.Count(w.Days, "day", "days"),
		webui.Count(w.Objects, "object", "objects"), cmp.Or(webui.Number(w.Orphans), "0"), webui.Number(w.Missing))
}
