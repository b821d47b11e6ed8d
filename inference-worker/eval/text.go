package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText shows the figures to people.
func (r Result) WriteText(out io.Writer) error {
	in := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(in, "%s\n\n", r.headline())
	columns, lines := r.table()
	fmt.Fprintf(in, "\t%s\n", strings.Join(columns, "\t"))
	for _, l := range lines {
		if l.Heading != "" {
			fmt.Fprintf(in, "%s%s\n", l.Heading, strings.Repeat("\t", len(columns)))
			continue
		}
		fmt.Fprintf(in, "  %s\t%s\n", l.What, strings.Join(l.Cells, "\t"))
	}
	if r.Against != nil {
		fmt.Fprintf(in, "\nCPU time as a multiple of %s's: %.2f (without decoding %.2f), of the medians %.2f (%.2f)\n",
			r.Against.Model.Name, r.CPUMultiple[stepTotal].Mean, r.CPUMultiple[stepDecoded].Mean,
			r.CPUMultiple[stepTotal].Median, r.CPUMultiple[stepDecoded].Median)
	}
	for _, g := range r.Figures.grids() {
		g.write(in)
	}
	if err := in.Flush(); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

func (g grid) write(in io.Writer) {
	fmt.Fprintf(in, "\n%s\n\t%s\n", g.Title, strings.Join(g.Columns, "\t"))
	for _, row := range g.Rows {
		fmt.Fprintf(in, "  %s", row.Name)
		for _, c := range row.Cells {
			fmt.Fprintf(in, "\t%d", c.Count)
		}
		fmt.Fprintln(in)
	}
}

func (r Result) headline() string {
	where := r.Folder
	if r.Split != "" {
		where += ", split " + r.Split
	}
	text := fmt.Sprintf("%s %s on %s: %d photos with %d faces", r.Model.Name, r.Model.Version, where, r.Figures.Photos, r.Figures.Faces[anyFace])
	if r.Corrections > 0 {
		text += fmt.Sprintf("; %d boxes corrected", r.Corrections)
	}
	return text
}

// WriteJSON writes the figures as one object.
func (r Result) WriteJSON(out io.Writer) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	if _, err := out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

// cocoResult is a detection in COCO's form for results, by file name instead of id.
type cocoResult struct {
	FileName string     `json:"file_name"`
	Category string     `json:"category"`
	Score    float64    `json:"score"`
	Box      [4]float64 `json:"bbox"` // x, y, width, height in pixels of the upright photo
}

// WriteDetections writes every detection of the run, in the data set's own words.
func WriteDetections(out io.Writer, set DataSet, run Run) error {
	results := []cocoResult{}
	for i, photo := range set.Photos {
		for _, d := range run.All[i] {
			results = append(results, cocoResult{
				FileName: photo.FileName, Category: set.Name(d.Class), Score: d.Score,
				Box: [4]float64{d.Box.X, d.Box.Y, d.Box.Width, d.Box.Height},
			})
		}
	}
	if err := json.NewEncoder(out).Encode(results); err != nil {
		return fmt.Errorf("writing the detections: %w", err)
	}
	return nil
}
