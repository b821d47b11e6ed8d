package manager

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui"
)

// sorting is by what the list of instances may be sorted, beside their ids; NaN is not
// known.
func sorting() map[string]func(webui.InstanceRow, machineTrend) float64 {
	return map[string]func(webui.InstanceRow, machineTrend) float64{
		"slots":  func(r webui.InstanceRow, _ machineTrend) float64 { return known(float64(r.Busy), r.Slots > 0) },
		"cpu":    func(_ webui.InstanceRow, t machineTrend) float64 { return newest(t.cpu) },
		"photos": func(_ webui.InstanceRow, t machineTrend) float64 { return newest(t.jobs) },
		"time": func(r webui.InstanceRow, _ machineTrend) float64 {
			return known(r.PhotoTime.Seconds(), r.PhotoTime > 0)
		},
		"requests": func(_ webui.InstanceRow, t machineTrend) float64 { return newest(t.requests) },
		"age": func(r webui.InstanceRow, _ machineTrend) float64 {
			return known(time.Since(r.LaunchedAt).Seconds(), !r.LaunchedAt.IsZero())
		},
	}
}

func known(value float64, is bool) float64 {
	if !is {
		return math.NaN()
	}
	return value
}

// fleetPageOf are the rows that a query asks for, in its order, and the address of the
// next page. By their ids they follow one another however the fleet changes; in another
// order the rows move anyway.
func fleetPageOf(rows []webui.InstanceRow, lately trends, q webui.FleetQuery) (page []webui.InstanceRow, next string) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r webui.InstanceRow) bool {
		return q.Role != "" && r.Role != q.Role || q.Sort == "" && r.ID <= q.After
	})
	if q.Sort != "" {
		sortFleet(rows, lately, q.Sort)
		rows = rows[min(q.Skip, len(rows)):]
	}
	if len(rows) <= fleetPageSize {
		return rows, ""
	}
	page = rows[:fleetPageSize]
	more := webui.FleetQuery{Role: q.Role, Sort: q.Sort}
	if q.Sort == "" {
		more.After = page[fleetPageSize-1].ID
	} else {
		more.Skip = q.Skip + fleetPageSize
	}
	return page, more.URL()
}

// sortFleet puts the largest first, or with a minus the smallest; what is not known
// comes last.
func sortFleet(rows []webui.InstanceRow, lately trends, by string) {
	value, up := sorting()[strings.TrimPrefix(by, "-")], strings.HasPrefix(by, "-")
	of := make(map[string]float64, len(rows))
	for _, r := range rows {
		of[r.ID] = value(r, lately.machines[r.ID])
	}
	slices.SortStableFunc(rows, func(a, b webui.InstanceRow) int {
		x, y := of[a.ID], of[b.ID]
		switch {
		case math.IsNaN(x) || math.IsNaN(y):
			return cmp.Compare(map[bool]int{true: 1}[math.IsNaN(x)], map[bool]int{true: 1}[math.IsNaN(y)])
		case up:
			return cmp.Compare(x, y)
		default:
			return cmp.Compare(y, x)
		}
	})
}

// usualPhotoTime is the median of what a photo takes on the instances that finish some.
func usualPhotoTime(rows []webui.InstanceRow) time.Duration {
	var all []time.Duration
	for _, r := range rows {
		if r.PhotoTime > 0 && !r.Unfinished {
			all = append(all, r.PhotoTime)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// slowest is the instance on which a photo takes longest, one that finishes none included.
func slowest(rows []webui.InstanceRow) webui.Slowest {
	var found webui.Slowest
	for _, r := range rows {
		if r.PhotoTime > 0 {
			found.Of++
		}
		if r.PhotoTime > found.Time {
			found.ID, found.Time = r.ID, r.PhotoTime
		}
	}
	return found
}

// addPhotoTimes says on the first page what a photo takes, of the instances on which
// workers are alive.
func addPhotoTimes(page *webui.OverviewPage, workers []jobqueue.Worker, lately trends) {
	rows := fleetRows(nil, workers, lately)
	page.PhotoTime = usualPhotoTime(rows)
	page.Slowest = slowest(rows)
	for i := range page.Workers {
		w := &page.Workers[i]
		at, there := slices.BinarySearchFunc(rows, cmp.Or(w.Instance, w.ID), func(r webui.InstanceRow, id string) int { return cmp.Compare(r.ID, id) })
		if there {
			w.Photo = rows[at]
		}
	}
}
