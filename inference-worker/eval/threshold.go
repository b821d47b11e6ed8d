package eval

// Threshold is a confidence from which detections of a class may count, and how the
// class does there.
type Threshold struct {
	Confidence Number `json:"confidence"`
	F1         Number `json:"f1"` // harmonic mean of precision and recall
	Precision  Number `json:"precision"`
	Recall     Number `json:"recall"`
}

// bestThreshold is where F1 is highest; of equals the one with the higher confidence.
// Thresholds are to be chosen on photos that are not measured by.
func (r ranking) bestThreshold() Threshold {
	best := Threshold{none(), none(), none(), none()}
	if r.faces == 0 {
		return best
	}
	right := 0
	for i, d := range r.detections {
		if d.right {
			right++
		}
		if i+1 < len(r.detections) && r.detections[i+1].score == d.score {
			continue // no threshold parts the two
		}
		f1 := share(2*right, i+1+r.faces)
		if !best.F1.Exists() || f1 > best.F1 {
			best = Threshold{Number(d.score), f1, share(right, i+1), share(right, r.faces)}
		}
	}
	return best
}
