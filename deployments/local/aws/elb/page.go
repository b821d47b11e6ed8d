package elb

import (
	"cmp"
	"encoding/base64"
	"slices"
)

type pageRequest struct {
	Marker   string
	PageSize int
}

const mostOnPage = 400

// paged cuts a list in the order of its names; the marker is the last name that was
// given before.
func paged[T any](all []T, in pageRequest, name func(T) string) (page []T, next string, err error) {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	if in.PageSize < 0 || in.PageSize > mostOnPage {
		return nil, "", fail(validationError, "Page size must be between 1 and %d", mostOnPage)
	}
	if in.Marker != "" {
		last, err := base64.URLEncoding.DecodeString(in.Marker)
		if err != nil {
			return nil, "", fail(validationError, "The marker is not valid")
		}
		all = slices.DeleteFunc(all, func(t T) bool { return name(t) <= string(last) })
	}
	size := cmp.Or(in.PageSize, mostOnPage)
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], base64.URLEncoding.EncodeToString([]byte(name(all[size-1]))), nil
}
