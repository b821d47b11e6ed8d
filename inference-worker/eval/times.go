package eval

import "time"

// Step is a step from a photo's bytes to its faces, or a sum of steps.
type Step string

// The steps, and their sums.
const (
	stepDecode  Step = "decode"
	stepPrepare Step = "prepare"
	stepNetwork Step = "network"
	stepBoxes   Step = "boxes"
	stepTotal   Step = "total"
	stepDecoded Step = "total_without_decode" // what the choice of a model decides
)

func stepsShown() []Step {
	return []Step{stepDecode, stepPrepare, stepNetwork, stepBoxes, stepTotal, stepDecoded}
}

// Times are CPU milliseconds a photo.
type Times struct {
	Mean   Number `json:"mean"`
	Median Number `json:"median"`
}

func (c Cost) of(step Step) time.Duration {
	switch step {
	case stepDecode:
		return c.Decode
	case stepPrepare:
		return c.Prepare
	case stepNetwork:
		return c.Network
	case stepBoxes:
		return c.Boxes
	case stepDecoded:
		return c.Prepare + c.Network + c.Boxes
	default:
		return c.Decode + c.Prepare + c.Network + c.Boxes
	}
}

func times(costs []Cost) map[Step]Times {
	all := make(map[Step]Times)
	for _, step := range stepsShown() {
		var milliseconds []float64
		for _, c := range costs {
			milliseconds = append(milliseconds, float64(c.of(step))/float64(time.Millisecond))
		}
		all[step] = Times{mean(milliseconds), median(milliseconds)}
	}
	return all
}
