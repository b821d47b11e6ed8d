package ingest

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/job"
)

// csvColumns are the facts of a result, flat. New ones are added at the end.
func csvColumns() []string {
	return []string{
		"custom_id", "id", "status", "error_code", "error_message", "category", "num_faces", "num_masked", "num_unmasked",
		"width", "height", "sha256", "filename", "model", "model_version",
		"queued_ms", "fetch_ms", "inference_ms", "total_ms", "attempts", "worker_id",
	}
}

// csvResults writes results as CSV under a line of names.
type csvResults struct{ to *csv.Writer }

func newCSVResults(to io.Writer) csvResults {
	w := csv.NewWriter(to)
	w.UseCRLF = true          // RFC 4180
	_ = w.Write(csvColumns()) // an error is given by the next write, too
	w.Flush()
	return csvResults{to: w}
}

func (w csvResults) write(p job.Photo) error {
	if err := w.to.Write(csvRow(apiv1.NewDetection(p))); err != nil {
		return err
	}
	w.to.Flush()
	return w.to.Error()
}

func csvRow(d apiv1.Detection) []string {
	row := make([]string, 0, len(csvColumns()))
	add := func(cells ...string) { row = append(row, cells...) }
	add(guarded(orEmpty(d.CustomID)), d.ID.String(), string(d.Status))
	if d.Error != nil {
		add(string(d.Error.Code), guarded(d.Error.Message))
	} else {
		add("", "")
	}
	add(string(orEmpty(d.Category)), number(d.NumFaces), number(d.NumMasked), number(d.NumUnmasked))
	add(strconv.Itoa(d.Image.Width), strconv.Itoa(d.Image.Height), d.Image.SHA256, guarded(d.Image.Filename))
	if d.Model != nil {
		add(guarded(d.Model.Name), guarded(d.Model.Version))
	} else {
		add("", "")
	}
	if t := d.TimingMS; t != nil {
		for _, ms := range []int64{t.Queued, t.Fetch, t.Inference, t.Total} {
			add(strconv.FormatInt(ms, 10))
		}
	} else {
		add("", "", "", "")
	}
	add(strconv.Itoa(d.Attempts), guarded(orEmpty(d.WorkerID)))
	return row
}

// guarded keeps a spreadsheet from taking a stranger's text for a formula: what could
// begin one gets an apostrophe in front.
func guarded(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
		return "'" + cell
	}
	return cell
}

func orEmpty[T ~string](text *T) T {
	if text == nil {
		return ""
	}
	return *text
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}
