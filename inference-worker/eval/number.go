package eval

import (
	"math"
	"slices"
	"strconv"
)

// Number is a figure that may not exist, such as a share of nothing. In JSON it is
// then null.
type Number float64

func none() Number { return Number(math.NaN()) }

// Exists says whether there is a figure.
func (n Number) Exists() bool { return !math.IsNaN(float64(n)) }

// MarshalJSON rounds to six places.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Exists() {
		return []byte("null"), nil
	}
	rounded := math.Round(float64(n)*1e6) / 1e6
	return strconv.AppendFloat(nil, rounded, 'f', -1, 64), nil
}

// share is part of whole; none of nothing.
func share(part, whole int) Number {
	if whole == 0 {
		return none()
	}
	return Number(float64(part) / float64(whole))
}

func mean(values []float64) Number {
	if len(values) == 0 {
		return none()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return Number(sum / float64(len(values)))
}

func median(values []float64) Number {
	if len(values) == 0 {
		return none()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return Number(sorted[half])
	}
	return Number((sorted[half-1] + sorted[half]) / 2)
}
