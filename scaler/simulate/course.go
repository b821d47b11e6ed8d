package simulate

// Course is how a replay went, for a chart: of each step the most instances there were
// and the most photos that waited.
type Course struct {
	StepSeconds int   `json:"step_seconds"`
	Instances   []int `json:"instances"`
	Waiting     []int `json:"waiting"`
}

// courseSteps is how many a course has at most, whatever the time it spans.
const courseSteps = 144

// NewCourse is an empty one of so many seconds.
func NewCourse(seconds int) Course {
	step := max(1, (seconds+courseSteps-1)/courseSteps)
	steps := (seconds + step - 1) / step
	return Course{StepSeconds: step, Instances: make([]int, steps), Waiting: make([]int, steps)}
}

// Note takes in what there was at a second; one past the end is left out.
func (c Course) Note(second, instances, waiting int) {
	if i := second / c.StepSeconds; second >= 0 && i < len(c.Instances) {
		c.Instances[i] = max(c.Instances[i], instances)
		c.Waiting[i] = max(c.Waiting[i], waiting)
	}
}

func courseOf(o Outcome, seconds int) Course {
	c := NewCourse(seconds)
	for second := range o.Fleet {
		c.Note(second, o.Fleet[second], o.Waiting[second])
	}
	return c
}
