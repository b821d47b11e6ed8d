package decide

import (
	"fmt"
	"slices"
	"time"
)

// Schedule is a minimum for named hours of the week. Its instances are ordered a boot
// ahead, so that they are there when the hours begin.
type Schedule struct {
	Name string `json:"name"`
	// Days are those on which the hours begin: mon, tue and so on; none: every day.
	Days []string `json:"days,omitempty"`
	From string   `json:"from"` // 08:30
	To   string   `json:"to"`   // before From: on the next day
	Zone string   `json:"zone"` // Europe/Paris; empty: UTC
	Min  int      `json:"min"`

	location *time.Location // of Zone, looked up by ReadPolicy once; nil: UTC
}

// locate looks its time zone up, so that deciding needs no files. A zone that is not
// known leaves it without location.
func (s *Schedule) locate() {
	if location, err := time.LoadLocation(s.Zone); err == nil {
		s.location = location
	}
}

func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func (s Schedule) check(c *checker, i, most int) {
	name := fmt.Sprintf("schedules[%d]", i)
	c.check(s.Name != "" && len(s.Name) <= maxNameBytes, "%s has no name or one of more than %d bytes", name, maxNameBytes)
	_, _, err := s.hours()
	c.check(err == nil, "%s is from %.40q to %.40q, want times like 08:30", name, s.From, s.To)
	_, unknown := time.LoadLocation(s.Zone)
	c.check(unknown == nil, "%s.zone is %.40q, want one like Europe/Paris", name, s.Zone)
	c.check(s.From != s.To, "%s begins when it ends", name)
	c.check(s.Min >= 1 && s.Min <= most, "%s.min is %d, want 1 to max, which is %d", name, s.Min, most)
	for _, day := range s.Days {
		c.check(slices.Contains(weekdays(), day), "%s has the day %.40q, want mon, tue, wed, thu, fri, sat or sun", name, day)
	}
}

// hours gives the minutes of the day at which they begin and end.
func (s Schedule) hours() (from, to int, err error) {
	if from, err = clockTime(s.From); err != nil {
		return 0, 0, err
	}
	to, err = clockTime(s.To)
	return from, to, err
}

// clockTime is the minute of the day.
func clockTime(text string) (int, error) {
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("reading a time of day: %w", err)
	}
	return at.Hour()*60 + at.Minute(), nil
}

// holds says whether the moment lies in the hours.
func (s Schedule) holds(at time.Time) bool {
	location := s.location
	if location == nil {
		location = time.UTC
	}
	local := at.In(location)
	from, to, err := s.hours()
	if err != nil {
		return false
	}
	minute := local.Hour()*60 + local.Minute()
	day := local.Weekday()
	switch {
	case from < to && minute >= from && minute < to:
	case from > to && minute >= from:
	case from > to && minute < to:
		day = (day + 6) % 7 // they began yesterday
	default:
		return false
	}
	return len(s.Days) == 0 || slices.Contains(s.Days, weekdays()[day])
}

// scheduled is the highest minimum whose hours have come, or come within a boot.
func (p Policy) scheduled(at time.Time, boot time.Duration) (Schedule, bool) {
	var highest Schedule
	for _, s := range p.Schedules {
		if s.Min > highest.Min && (s.holds(at) || s.holds(at.Add(boot))) {
			highest = s
		}
	}
	return highest, highest.Min > 0
}

func durationOf(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
