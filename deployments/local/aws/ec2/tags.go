package ec2

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
)

const (
	mostTags    = 50
	longestKey  = 127
	longestText = 255
)

type tagsRequest struct {
	ResourceIDs []string     `wire:"ResourceId"`
	Tags        []deletedTag `wire:"Tag"`
	DryRun      bool
}

// deletedTag may leave its value out, which means any.
type deletedTag struct {
	Key   string
	Value *string
}

func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return fail(tagLimitExceeded, "The maximum number of Tags for a resource has been reached.")
	}
	for key, value := range tags {
		switch {
		case key == "" || len(key) > longestKey:
			return fail(invalidParameterValue, "Tag key is empty or exceeds the maximum length of %d characters", longestKey)
		case len(value) > longestText:
			return fail(invalidParameterValue, "Tag value exceeds the maximum length of %d characters", longestText)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return fail(invalidParameterValue, "Tag keys starting with 'aws:' are reserved for internal use")
		}
	}
	return nil
}

// tagged finds the tags of a resource that may have some.
func (e *EC2) tagged(id string) (*map[string]string, error) {
	switch {
	case strings.HasPrefix(id, "i-"):
		i, err := e.instance(id)
		if err != nil {
			return nil, err
		}
		return &i.Tags, nil
	case strings.HasPrefix(id, "lt-"):
		t, err := e.template(templateReference{ID: id})
		if err != nil {
			return nil, err
		}
		return &t.Tags, nil
	default:
		return nil, fail(invalidID, "The ID '%s' is not valid", id)
	}
}

func (e *EC2) createTags(ctx context.Context, in tagsRequest) (done, error) {
	return e.changeTags(ctx, in, func(tags map[string]string) {
		for _, t := range in.Tags {
			tags[t.Key] = ""
			if t.Value != nil {
				tags[t.Key] = *t.Value
			}
		}
	})
}

func (e *EC2) deleteTags(ctx context.Context, in tagsRequest) (done, error) {
	return e.changeTags(ctx, in, func(tags map[string]string) {
		if len(in.Tags) == 0 {
			clear(tags)
		}
		for _, t := range in.Tags {
			if t.Value == nil || tags[t.Key] == *t.Value {
				delete(tags, t.Key)
			}
		}
	})
}

// changeTags changes those of all resources or of none.
func (e *EC2) changeTags(ctx context.Context, in tagsRequest, change func(map[string]string)) (done, error) {
	if err := e.keepTags(in, change); err != nil {
		return done{}, err
	}
	for _, id := range in.ResourceIDs {
		if err := e.tell(ctx, id); err != nil {
			e.log.WarnContext(ctx, "instance not told its tags", "instance_id", id, "err", err)
		}
	}
	return done{true}, nil
}

func (e *EC2) keepTags(in tagsRequest, change func(map[string]string)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(in.ResourceIDs) == 0 {
		return fail(missingParameter, "The request must contain the parameter resourceIdSet")
	}
	changed := make(map[*map[string]string]map[string]string)
	for _, id := range in.ResourceIDs {
		tags, err := e.tagged(id)
		if err != nil {
			return err
		}
		next := maps.Clone(*tags)
		if next == nil {
			next = make(map[string]string)
		}
		change(next)
		if err := checkTags(next); err != nil {
			return err
		}
		changed[tags] = next
	}
	if err := dryRun(in.DryRun); err != nil {
		return err
	}
	for tags, next := range changed {
		*tags = next
	}
	return e.save()
}

type describeTagsRequest struct {
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type describeTagsResponse struct {
	Tags      []taggedResource `wire:"tagSet"`
	NextToken string           `wire:"nextToken"`
}

type taggedResource struct {
	ResourceID   string `wire:"resourceId"`
	ResourceType string `wire:"resourceType"`
	Key          string `wire:"key"`
	Value        string `wire:"value"`
}

func (e *EC2) describeTags(_ context.Context, in describeTagsRequest) (describeTagsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := dryRun(in.DryRun); err != nil {
		return describeTagsResponse{}, err
	}
	all := []taggedResource{}
	for _, i := range e.list(nil) {
		for key, value := range i.Tags {
			all = append(all, taggedResource{i.ID, "instance", key, value})
		}
	}
	for _, t := range e.kept.Templates {
		for key, value := range t.Tags {
			all = append(all, taggedResource{t.ID, "launch-template", key, value})
		}
	}
	slices.SortFunc(all, func(a, b taggedResource) int {
		return cmp.Or(cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Key, b.Key))
	})
	all, err := filtered(all, in.Filters, matchers[taggedResource]{
		"key":           func(t taggedResource) []string { return []string{t.Key} },
		"value":         func(t taggedResource) []string { return []string{t.Value} },
		"resource-id":   func(t taggedResource) []string { return []string{t.ResourceID} },
		"resource-type": func(t taggedResource) []string { return []string{t.ResourceType} },
		"tag:":          func(t taggedResource) []string { return []string{t.Key + "=" + t.Value} },
	})
	if err != nil {
		return describeTagsResponse{}, err
	}
	page, next, err := paged(all, in.MaxResults, in.NextToken)
	return describeTagsResponse{Tags: page, NextToken: next}, err
}
