package webui

import (
	"fmt"
	"math"
	"regexp"
	"testing"
)

// TestContrast holds the tokens against WCAG AA, in both themes.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := staticFiles.ReadFile("static/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark := map[string]string{}, map[string]string{}
	pair := regexp.MustCompile(`--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)
	for _, found := range pair.FindAllStringSubmatch(string(css), -1) {
		light[found[1]], dark[found[1]] = found[2], found[3]
	}
	check := func(front, back string, least float64) {
		for name, theme := range map[string]map[string]string{"light": light, "dark": dark} {
			if got := contrast(t, theme[front], theme[back]); got < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, front, back, got, least)
			}
		}
	}
	for _, back := range []string{"ground", "surface", "raised", "sunken"} {
		for _, front := range []string{"text", "text-quiet", "accent", "accent-strong"} {
			check(front, back, 4.5)
		}
		check("focus", back, 3)
	}
	for _, meaning := range []string{"good", "bad", "warn", "busy", "idle"} {
		check(meaning, meaning+"-soft", 4.5)
		check(meaning, "surface", 4.5)
	}
	for _, back := range []string{"accent", "accent-strong", "bad"} {
		check("text-on-accent", back, 4.5)
	}
	check("text", "accent-soft", 4.5)
	check("line-strong", "surface", 3)
	for _, line := range []string{"chart-1", "chart-2", "chart-3", "chart-4"} {
		check(line, "surface", 3)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b); err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	linear := func(v int) float64 {
		c := float64(v) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
