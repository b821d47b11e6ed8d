package webui

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"maskfleet/pkg/job"
)

// thinSpace separates thousands, and a number from its unit, without a line break.
const thinSpace = "\u202f"

// Number writes n with thin spaces between thousands: "12 345".
func Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "\u2212", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), thinSpace)
}

// Sentence writes a note as one: with a capital and a full stop.
func Sentence(note string) string {
	note = strings.TrimSpace(note)
	if note == "" || strings.HasSuffix(note, ".") {
		return capital(note)
	}
	return capital(note) + "."
}

// Count writes a number with its noun: "1 face", "3 faces".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Duration writes d in the largest unit people would say: "41 ms", "1.2 s", "3 min".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return Duration(0)
	case d < time.Second:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + thinSpace + "ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + thinSpace + "s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + thinSpace + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + thinSpace + "min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + thinSpace + "h"
	default:
		return Count(int(d.Hours()/24), "day", "days")
	}
}

// Bytes writes a size in decimal units: "2.4 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + thinSpace + "B"
	case n < 1000*1000:
		return strconv.FormatInt((n+500)/1000, 10) + thinSpace + "kB"
	case n < 1000*1000*1000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + thinSpace + "MB"
	default:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + thinSpace + "GB"
	}
}

// Percent writes a ratio from 0 to 1: "97 %".
func Percent(ratio float64) string {
	return strconv.Itoa(int(ratio*100+0.5)) + thinSpace + "%"
}

// Ago writes when t was, seen from now, as an element that its page's script keeps
// up to date and on which the exact local time shows when pointed at.
func Ago(t, now time.Time) template.HTML {
	if t.IsZero() {
		return "\u2013"
	}
	words := "just now"
	if age := now.Sub(t); age >= time.Second {
		words = Duration(age.Truncate(time.Second)) + " ago"
		if age < 10*time.Second {
			words = strconv.Itoa(int(age.Seconds())) + thinSpace + "s ago"
		}
	}
	exact := t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s" data-ago>%s</time>`, //nolint:gosec // three texts of our own making
		exact.Format(time.RFC3339Nano), exact.Format("2006-01-02 15:04:05")+" UTC", words))
}

// Clock writes a moment that is near, to the second or so, as an element whose script
// shows it in the person's own zone.
func Clock(t time.Time) template.HTML {
	if t.IsZero() {
		return "\u2013"
	}
	exact := t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-clock>%s</time>`, //nolint:gosec // two texts of our own making
		exact.Format(time.RFC3339Nano), exact.Format("2006-01-02 15:04:05")+" UTC"))
}

// moments are those in a text of ours: as the scaler writes them, and as sentences do.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z| \d\d:\d\d:\d\d UTC)`)

// Told is a text in which moments are written as everywhere.
func Told(text string) template.HTML {
	var out strings.Builder
	end := 0
	for _, at := range moments.FindAllStringIndex(text, -1) {
		t, err := time.Parse(time.RFC3339, text[at[0]:at[1]])
		if err != nil {
			t, err = time.Parse("2006-01-02 15:04:05 UTC", text[at[0]:at[1]])
		}
		if err != nil {
			continue
		}
		out.WriteString(template.HTMLEscapeString(text[end:at[0]]))
		out.WriteString(string(Clock(t)))
		end = at[1]
	}
	out.WriteString(template.HTMLEscapeString(text[end:]))
	return template.HTML(out.String()) //nolint:gosec // every piece is escaped, or of our own making
}

// StateWord is the state as people read it on a badge.
func StateWord(s job.State) string {
	switch s {
	case job.StateQueued:
		return "Queued"
	case job.StateProcessing:
		return "Processing"
	case job.StateSucceeded:
		return "Succeeded"
	case job.StateFailed:
		return "Failed"
	case job.StateCancelled:
		return "Cancelled"
	case job.StateExpired:
		return "Expired"
	}
	return string(s)
}

// LabelWord is what the detector says of one face, as people read it. A label this
// build does not know is shown as it came.
func LabelWord(l job.Label) string {
	switch l {
	case job.LabelMasked:
		return "Mask"
	case job.LabelUnmasked:
		return "No mask"
	case job.LabelIncorrect:
		return "Mask worn incorrectly"
	}
	return string(l)
}

// RoleWords is a role and who has it.
func RoleWords(role string) string {
	switch role {
	case "user":
		return "User: staff"
	case "viewer":
		return "Viewer: sees the fleet"
	case "operator":
		return "Operator: steers the fleet"
	case "administrator":
		return "Administrator"
	}
	return role
}

// CategoryWord is the title of the list.
func CategoryWord(c job.Category) string {
	switch c {
	case job.CategoryNoFaces:
		return "No faces"
	case job.CategoryAllMasked:
		return "All with masks"
	case job.CategoryNoneMasked:
		return "None with masks"
	case job.CategorySomeMasked:
		return "Some with masks"
	}
	return "All photos"
}

// CountsWords says what a photo shows: "3 faces, 2 with masks".
func CountsWords(c job.Counts) string {
	switch {
	case c.Faces == 0:
		return "No faces"
	case c.Faces == 1 && c.Masked == 1:
		return "1 face, with a mask"
	case c.Faces == 1:
		return "1 face, without a mask"
	case c.Masked == c.Faces:
		return Number(c.Faces) + " faces, all with masks"
	case c.Masked == 0:
		return Number(c.Faces) + " faces, none with a mask"
	default:
		return Number(c.Faces) + " faces, " + Number(c.Masked) + " with " + plural(c.Masked, "a mask", "masks")
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
