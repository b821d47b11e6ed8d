package apiv1

import "time"

// Moment is a time as the API writes it: RFC 3339 in UTC, to the millisecond.
type Moment time.Time

// MarshalJSON always writes the three digits.
func (m Moment) MarshalJSON() ([]byte, error) {
	return time.Time(m).UTC().AppendFormat(make([]byte, 0, 26), `"2006-01-02T15:04:05.000Z"`), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Moment) UnmarshalJSON(text []byte) error { return (*time.Time)(m).UnmarshalJSON(text) }

// MomentOrNull is null for a time that has not come yet.
func MomentOrNull(t time.Time) *Moment {
	if t.IsZero() {
		return nil
	}
	m := Moment(t)
	return &m
}
