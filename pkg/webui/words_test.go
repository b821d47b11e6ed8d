package webui

import (
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

func TestWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 8, 15, 44, 0, time.UTC)
	ago := func(d time.Duration) string {
		_, words, _ := strings.Cut(string(Ago(now.Add(-d), now)), ">")
		return strings.TrimSuffix(words, "</time>")
	}
	for _, c := range []struct{ got, want string }{ // _ is a thin space
		{Number(0), "0"},
		{Number(999), "999"},
		{Number(1000), "1_000"},
		{Number(1284031), "1_284_031"},
		{Number(-1200), "\u22121_200"},
		{Count(1, "face", "faces"), "1 face"},
		{Count(0, "face", "faces"), "0 faces"},
		{Duration(-time.Second), "0_ms"},
		{Duration(41 * time.Millisecond), "41_ms"},
		{Duration(1234 * time.Millisecond), "1.2_s"},
		{Duration(47 * time.Second), "47_s"},
		{Duration(3 * time.Minute), "3_min"},
		{Duration(26 * time.Hour), "26_h"},
		{Duration(80 * time.Hour), "3 days"},
		{Bytes(512), "512_B"},
		{Bytes(81_400), "81_kB"},
		{Bytes(2_431_000), "2.4_MB"},
		{Percent(0.974), "97_%"},
		{ago(200 * time.Millisecond), "just now"},
		{ago(7 * time.Second), "7_s ago"},
		{ago(12 * time.Second), "12_s ago"},
		{ago(90 * time.Minute), "1_h ago"},
		{string(Ago(time.Time{}, now)), "\u2013"},
	} {
		if want := strings.ReplaceAll(c.want, "_", thinSpace); c.got != want {
			t.Errorf("got %q, want %q", c.got, want)
		}
	}
}

func TestCountsWords(t *testing.T) {
	t.Parallel()
	for counts, want := range map[job.Counts]string{
		{}:                                   "No faces",
		{Faces: 1, Masked: 1}:                "1 face, with a mask",
		{Faces: 1, Unmasked: 1}:              "1 face, without a mask",
		{Faces: 3, Masked: 2, Unmasked: 1}:   "3 faces, 2 with masks",
		{Faces: 3, Masked: 1, Unmasked: 2}:   "3 faces, 1 with a mask",
		{Faces: 3, Masked: 3}:                "3 faces, all with masks",
		{Faces: 3, Unmasked: 3}:              "3 faces, none with a mask",
		{Faces: 12, Masked: 10, Unmasked: 2}: "12 faces, 10 with masks",
	} {
		if got := CountsWords(counts); got != want {
			t.Errorf("%+v is %q, want %q", counts, got, want)
		}
	}
}

func TestSentNow(t *testing.T) {
	t.Parallel()
	busy := SentNow{Worker: true, Photo: 300 * time.Millisecond, Item: 4400 * time.Millisecond, Longest: 4 * time.Minute, All: 5 * time.Minute}
	paused, batches, nobody := busy, busy, SentNow{}
	paused.PhotoPaused, batches.ItemPaused = true, true
	even := busy
	even.Longest = even.Item
	for got, want := range map[string]string{
		busy.Words(job.LaneInteractive):                         "1_s",
		busy.Words(job.LaneBatch):                               "4_s to 4_min",
		even.Words(job.LaneBatch):                               "4_s",
		busy.Words(job.LaneCanary):                              "\u2013",
		paused.Words(job.LaneInteractive):                       "after the pause",
		nobody.Words(job.LaneInteractive):                       "no worker",
		busy.AllDone():                                          "all done in about 5_min",
		busy.InBatch():                                          "in a batch 4_s to 4_min",
		batches.InBatch():                                       "in a batch after the pause",
		paused.AllDone() + batches.AllDone() + nobody.AllDone(): "",
	} {
		if want := strings.ReplaceAll(want, "_", thinSpace); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryStateAndCategoryHasAWord(t *testing.T) {
	t.Parallel()
	for _, s := range job.States() {
		if StateWord(s) == string(s) {
			t.Errorf("state %s has no word", s)
		}
	}
	for _, c := range Lists() {
		if CategoryWord(c) == CategoryWord("") {
			t.Errorf("category %s has no word", c)
		}
	}
	if got := LabelWord("upside_down"); got != "upside_down" {
		t.Errorf("a label of the future is shown as %q", got)
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for note, want := range map[string]string{
		"": "", "that is outside of the policy's 1 to 4": "That is outside of the policy's 1 to 4.", "It is leaving already.": "It is leaving already.",
	} {
		if got := Sentence(note); got != want {
			t.Errorf("%q becomes %q, want %q", note, got, want)
		}
	}
}

// TestTold: moments in texts are written as everywhere, and what people typed is text.
func TestTold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"until 2026-11-28T21:48:36Z; <b>the open day</b>": `until <time datetime="2026-11-28T21:48:36Z" data-clock>2026-11-28 21:48:36 UTC</time>; &lt;b&gt;the open day&lt;/b&gt;`,
		"until 2026-11-28 21:48:36 UTC.":                  `until <time datetime="2026-11-28T21:48:36Z" data-clock>2026-11-28 21:48:36 UTC</time>.`,
		"2026-99-28T21:48:36Z & none":                     "2026-99-28T21:48:36Z &amp; none",
	} {
		if got := string(Told(text)); got != want {
			t.Errorf("%q is told as %s", text, got)
		}
	}
}
