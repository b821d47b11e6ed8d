package manager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
)

// policyFormat is that of the documents that this program writes.
const policyFormat = 1

// number is a value of the policy, in the form's unit and in the document's.
type number struct {
	name  string
	get   func(policyDocument) float64
	set   func(*policyDocument, float64)
	whole bool
}

// policyNumbers bind the form to the document. CPU and shares are per cent in the form.
func policyNumbers() []number {
	return []number{
		{"min", func(p policyDocument) float64 { return float64(p.Min) }, func(p *policyDocument, v float64) { p.Min = int(v) }, true},
		{"max", func(p policyDocument) float64 { return float64(p.Max) }, func(p *policyDocument, v float64) { p.Max = int(v) }, true},
		{"slots", func(p policyDocument) float64 { return float64(p.SlotsPerInstance) }, func(p *policyDocument, v float64) { p.SlotsPerInstance = int(v) }, true},
		{"tick", func(p policyDocument) float64 { return p.TickSeconds }, func(p *policyDocument, v float64) { p.TickSeconds = v }, false},
		{"target", func(p policyDocument) float64 { return p.Wait.TargetSeconds }, func(p *policyDocument, v float64) { p.Wait.TargetSeconds = v }, false},
		{"price", func(p policyDocument) float64 { return p.Wait.LatePrice }, func(p *policyDocument, v float64) { p.Wait.LatePrice = v }, false},
		{"boot", func(p policyDocument) float64 { return p.Wait.BootSeconds }, func(p *policyDocument, v float64) { p.Wait.BootSeconds = v }, false},
		{"service", func(p policyDocument) float64 { return p.Wait.ServiceSeconds }, func(p *policyDocument, v float64) { p.Wait.ServiceSeconds = v }, false},
		{"above", func(p policyDocument) float64 { return percent(p.Ratio.GrowAbove) }, func(p *policyDocument, v float64) { p.Ratio.GrowAbove = v / 100 }, false},
		{"expand", func(p policyDocument) float64 { return p.Ratio.Expand }, func(p *policyDocument, v float64) { p.Ratio.Expand = v }, false},
		{"below", func(p policyDocument) float64 { return percent(p.Ratio.ShrinkBelow) }, func(p *policyDocument, v float64) { p.Ratio.ShrinkBelow = v / 100 }, false},
		{"keep", func(p policyDocument) float64 { return percent(p.Ratio.Keep) }, func(p *policyDocument, v float64) { p.Ratio.Keep = v / 100 }, false},
		{"size", func(p policyDocument) float64 { return float64(p.Manual.Size) }, func(p *policyDocument, v float64) { p.Manual.Size = int(v) }, true},
	}
}

// percent is a share as per cent, without the dust of floating point.
func percent(share float64) float64 { return math.Round(share*1e6) / 1e4 }

func numberText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// policyForm shows a document. Those that were put are told apart by their revision.
func policyForm(p policyDocument, revision uint64, size int) webui.PolicyForm {
	form := webui.PolicyForm{Kind: p.Policy, Revision: strconv.FormatUint(revision, 10), Size: size, Fields: map[string]webui.PolicyField{}}
	for _, f := range webui.PolicyFields() {
		form.Fields[f.Name] = f
	}
	for _, n := range policyNumbers() {
		f := form.Fields[n.name]
		f.Value = numberText(n.get(p))
		form.Fields[n.name] = f
	}
	if len(p.Schedules) > 0 {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, p.Schedules, "", "  "); err == nil {
			form.Schedules = pretty.String()
		}
	}
	return form
}

// readPolicyForm makes a document of what somebody typed. Whether it can be followed,
// the scaler says.
func readPolicyForm(form url.Values) (policyDocument, error) {
	p := policyDocument{Format: policyFormat, Policy: form.Get("policy")}
	kinds := []string{"target-wait", "cpu-ratio", "manual"}
	if !slices.Contains(kinds, p.Policy) {
		return p, command.InvalidField("policy", "is none of "+strings.Join(kinds, ", "))
	}
	labels := map[string]string{}
	for _, f := range webui.PolicyFields() {
		labels[f.Name] = f.Label
	}
	for _, n := range policyNumbers() {
		v, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(form.Get(n.name)), ",", "."), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || n.whole && (v != math.Trunc(v) || math.Abs(v) > math.MaxInt32) {
			return p, command.Invalid(fmt.Sprintf("“%s” is “%s”, which is no number that fits. Nothing was changed.", labels[n.name], form.Get(n.name))).WithCause(err)
		}
		n.set(&p, v)
	}
	if text := strings.TrimSpace(form.Get("schedules")); text != "" {
		if !json.Valid([]byte(text)) {
			return p, command.Invalid("The schedules are no JSON. Nothing was changed.")
		}
		p.Schedules = json.RawMessage(text)
	}
	return p, nil
}

// changesOf are the differences of two documents, in words.
func changesOf(was, now policyDocument) []webui.Fact {
	var facts []webui.Fact
	if was.Policy != now.Policy {
		facts = append(facts, webui.Fact{Name: "Policy", Value: kindWords(was.Policy) + " → " + kindWords(now.Policy)})
	}
	fields := map[string]webui.PolicyField{}
	for _, f := range webui.PolicyFields() {
		fields[f.Name] = f
	}
	for _, n := range policyNumbers() {
		if before, after := numberText(n.get(was)), numberText(n.get(now)); before != after {
			f := fields[n.name]
			facts = append(facts, webui.Fact{Name: f.Label + ", " + f.Unit, Value: before + " → " + after})
		}
	}
	if !sameJSON(was.Schedules, now.Schedules) {
		facts = append(facts, webui.Fact{Name: "Schedules", Value: "changed"})
	}
	return facts
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if len(a) == 0 || len(b) == 0 || json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return len(a) == len(b)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
