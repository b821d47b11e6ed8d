package ingest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webui/browser"
)

func TestReadS3Sources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       job.S3Sources
		wrong      string // part of the sentence
	}{
		{"nothing", " \r\n\n", job.S3Sources{}, ""},
		{"places", "s3://cameras/2026/\r\n  s3://gates/a b/ \r\n\r\ns3://cameras/2026/", job.S3Sources{"s3://cameras/2026/", "s3://gates/a b/"}, ""},
		{"all of a bucket", "s3://cameras\ns3://gates/", job.S3Sources{"s3://cameras/", "s3://gates/"}, ""},
		{"a neighbour would match, too", "s3://cameras/2026", nil, "must end with a slash"},
		{"no bucket", "s3://", nil, "no place in S3"},
		{"a wildcard", "s3://*/", nil, "no place in S3"},
		{"another address", "https://cameras.example/", nil, "no place in S3"},
		{"the product's own", "s3://gates/\ns3://maskfleet/2026-11-28/", nil, "keeps everybody’s photos"},
		{"the product's own, whole", "s3://maskfleet", nil, "keeps everybody’s photos"},
		{"too many", "s3://cameras/" + manyPlaces(maxS3Sources), nil, "at most 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, wrong := readS3Sources(c.text, "maskfleet")
			if (wrong == "") != (c.wrong == "") || !strings.Contains(wrong, c.wrong) {
				t.Errorf("it is refused with %q, want %q", wrong, c.wrong)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

func manyPlaces(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString("\ns3://cameras/" + strings.Repeat("a", i+1) + "/")
	}
	return text.String()
}

func TestAdministratorSaysWhatMayBeNamedInS3(t *testing.T) {
	t.Parallel()
	d, _ := openMailingDoor(t)
	at := "/users/" + d.bob.user.ID.String()
	name := func(uri string) int {
		body := strings.NewReader(`{"image": {"s3_uri": "` + uri + `"}}`)
		return d.ask(t, d.bob, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": "application/json"}).status
	}
	if got := d.form(t, at+"/s3", d.session(t, d.bob), "sources", "s3://gates/").status; got != http.StatusForbidden {
		t.Errorf("bob's own try gives %d", got)
	}

	tab := browser.Open(t)
	logIn(tab, d, d.ann)
	tab.Go(d.url + at)
	tab.Type("#sources", "s3://gates/2026")
	tab.Click("#s3 button")
	if said := tab.See("#s3 .notice.bad"); !strings.Contains(said, "must end with a slash") {
		t.Errorf("a folder without its slash is refused with %q", said)
	}
	tab.Await(`document.querySelector('#sources').value === 's3://gates/2026'`) // nothing is to be typed twice
	tab.Go(d.url + at)
	tab.Type("#sources", "s3://gates/2026/")
	if got := name("s3://gates/2026/a.jpg"); got != http.StatusForbidden {
		t.Errorf("before it is saved, naming gives %d", got)
	}
	tab.Click("#s3 button")
	tab.See(".notice.good")
	tab.Go(d.url + at)
	tab.Await(`document.querySelector('#sources').value === 's3://gates/2026/'`)
	if named, neighbour := name("s3://gates/2026/a.jpg"), name("s3://gates/2027/a.jpg"); named != http.StatusAccepted || neighbour != http.StatusForbidden {
		t.Errorf("naming gives %d, and of a neighbour %d", named, neighbour)
	}
	d.browse(t, http.MethodGet, "/account", d.session(t, d.bob), nil, nil).says(t, http.StatusOK, "s3://gates/2026/")
	own := "s3://" + d.cfg.Images.Bucket + "/"
	ann := d.session(t, d.ann)
	d.form(t, at+"/s3", ann, "sources", own).says(t, http.StatusUnprocessableEntity, "keeps everybody’s photos")
	d.form(t, at+"/s3", ann, "sources", "").says(t, http.StatusOK, "may name nothing in S3 any more")
	if got := name("s3://gates/2026/a.jpg"); got != http.StatusForbidden {
		t.Errorf("once it is taken back, naming gives %d", got)
	}
	d.form(t, "/users/"+d.ann.user.ID.String()+"/s3", ann, "sources", "s3://gates/").says(t, http.StatusOK, "ann may name photos")

	records, err := d.store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 3 {
		t.Fatalf("audited: %d records, %v", len(records), err)
	}
	first := records[len(records)-1]
	want := map[string]string{"username": "bob", "before": "", "after": "s3://gates/2026/"}
	if first.Actor != "ann" || first.Action != "user.s3_sources" || !cmp.Equal(want, first.Detail) {
		t.Errorf("audited: %+v", first)
	}
	tab.Problems() // the refused form is a 422
}
