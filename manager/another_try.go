package manager

import (
	"cmp"
	"slices"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
)

// vain says why another try of what failed ends the same way, and what helps instead;
// empty if it may end differently. Which failures those are the catalogue says, in
// package job.
func vain(f *job.Failure) string {
	if f == nil || f.Retryable() {
		return ""
	}
	const again = "Another try ends the same way"
	switch f.Code {
	case job.CodeDecodeFailed, job.CodeUnsupportedFormat:
		return again + ": it is the file. It has to be sent again, from the original."
	case job.CodeImageTooLarge, job.CodeImageTooSmall:
		return again + " unless the limit is changed first. Else another file has to be sent."
	case job.CodeFetchForbidden:
		return again + " until the photo may be fetched from where it lies."
	case job.CodeObjectNotFound:
		return again + " until the file is there."
	}
	return again + " as long as what is said there stays so."
}

// cause is how many photos of a request had failed with a code.
type cause struct {
	Code      job.Code `json:"code"`
	Photos    int      `json:"photos"`
	Retryable bool     `json:"retryable"` // another try may end differently
}

// tally counts causes, the most frequent first.
type tally []cause

func (all *tally) add(p job.Photo) {
	f := p.Failure
	if f == nil {
		f = job.Fail(job.CodeExpired, nil)
	}
	one := cause{f.Code, 1, f.Retryable()}
	for i, c := range *all {
		if c.Code == one.Code && c.Retryable == one.Retryable {
			(*all)[i].Photos++
			return
		}
	}
	*all = append(*all, one)
}

func (all tally) sorted() tally {
	slices.SortStableFunc(all, func(a, b cause) int { return cmp.Compare(b.Photos, a.Photos) })
	return all
}

// vain says of how many another try ends the same way, and why if that is one reason.
func (all tally) vain() string {
	n, total, words := 0, 0, ""
	for _, c := range all {
		total += c.Photos
		if !c.Retryable {
			n += c.Photos
			words = vain(&job.Failure{Code: c.Code, Permanent: true})
		}
	}
	switch {
	case n == 0:
		return ""
	case n == total && len(all) == 1:
		return words
	case n == total:
		return "Another try of these ends the same way: they have to be sent again."
	}
	return "Another try of " + webui.Count(n, "photo", "photos") + " of these ends the same way."
}

// facts are the causes as a page tells them.
func (all tally) facts() []webui.Fact {
	var facts []webui.Fact
	for _, c := range all {
		value := string(c.Code) + ": " + job.Fail(c.Code, nil).Message()
		if len(all) > 1 {
			value = webui.Count(c.Photos, "photo", "photos") + ", " + value
		}
		facts = append(facts, webui.Fact{Name: "Failed with", Value: value})
	}
	return facts
}

// named is the fact of which photo is meant, if it is one.
func named(name string) []webui.Fact {
	if name == "" {
		return nil
	}
	return []webui.Fact{{Name: "Photo", Value: name}}
}

// nameOf is what people call a photo.
func nameOf(p job.Photo) string {
	if p.Source == job.SourceSigned { // its link is the id of an upload
		return cmp.Or(p.Filename, p.CustomID, p.ID.String())
	}
	return cmp.Or(p.Filename, p.Link, p.CustomID, p.ID.String())
}
