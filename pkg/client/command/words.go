package command

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// counted writes "1 photo" and "2 photos".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + one + "s"
}

// megabytes writes a size as people read it.
func megabytes(bytes int64) string {
	const kB, MB, GB = 1e3, 1e6, 1e9
	switch size := float64(bytes); {
	case size < MB:
		return fmt.Sprintf("%.0f kB", size/kB)
	case size < GB:
		return fmt.Sprintf("%.1f MB", size/MB)
	default:
		return fmt.Sprintf("%.1f GB", size/GB)
	}
}

// printable takes out what would do something to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// printableLines keeps the ends of lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// clock writes a time of today short and another whole, as it is here.
func clock(t time.Time) string {
	here, now := t.Local(), time.Now()
	if here.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return here.Format(time.TimeOnly)
	}
	return here.Format(time.DateTime)
}
