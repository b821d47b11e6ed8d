package elb

import (
	"context"
	"maps"
	"slices"
)

const mostTags = 50

type tag struct {
	Key, Value string
}

func tagMap(tags []tag) map[string]string {
	all := make(map[string]string)
	for _, t := range tags {
		all[t.Key] = t.Value
	}
	return all
}

// tagged finds the tags of a resource. It is called with mu held.
func (e *ELB) tagged(arn string) (map[string]string, error) {
	if g := e.kept.TargetGroups[arn]; g != nil {
		return g.Tags, nil
	}
	if l := e.kept.LoadBalancers[arn]; l != nil {
		return l.Tags, nil
	}
	if l := e.kept.Listeners[arn]; l != nil {
		if l.Tags == nil { // kept by a stand-in that did not know them
			l.Tags = make(map[string]string)
		}
		return l.Tags, nil
	}
	return nil, fail(loadBalancerNotFound, "One or more resources of '%s' not found", arn)
}

type addTagsRequest struct {
	ARNs []string `wire:"ResourceArns"`
	Tags []tag
}

func (e *ELB) addTags(_ context.Context, in addTagsRequest) (nothing, error) {
	return e.changeTags(in.ARNs, func(tags map[string]string) { maps.Copy(tags, tagMap(in.Tags)) })
}

type removeTagsRequest struct {
	ARNs []string `wire:"ResourceArns"`
	Keys []string `wire:"TagKeys"`
}

func (e *ELB) removeTags(_ context.Context, in removeTagsRequest) (nothing, error) {
	return e.changeTags(in.ARNs, func(tags map[string]string) {
		for _, key := range in.Keys {
			delete(tags, key)
		}
	})
}

// changeTags changes those of all resources or of none.
func (e *ELB) changeTags(arns []string, change func(map[string]string)) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, arn := range arns {
		tags, err := e.tagged(arn)
		if err != nil {
			return nothing{}, err
		}
		next := maps.Clone(tags)
		if change(next); len(next) > mostTags {
			return nothing{}, fail(tooManyTags, "The maximum number of tags on '%s' is %d", arn, mostTags)
		}
	}
	for _, arn := range arns {
		tags, _ := e.tagged(arn) // it was there a moment ago
		change(tags)
	}
	return nothing{}, e.save()
}

type describeTagsRequest struct {
	ARNs []string `wire:"ResourceArns"`
}

type describeTagsResponse struct {
	Descriptions []tagsDescription `wire:"TagDescriptions"`
}

type tagsDescription struct {
	ARN  string `wire:"ResourceArn"`
	Tags []tag
}

func (e *ELB) describeTags(_ context.Context, in describeTagsRequest) (describeTagsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := describeTagsResponse{}
	for _, arn := range in.ARNs {
		tags, err := e.tagged(arn)
		if err != nil {
			return describeTagsResponse{}, err
		}
		d := tagsDescription{ARN: arn}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			d.Tags = append(d.Tags, tag{key, tags[key]})
		}
		out.Descriptions = append(out.Descriptions, d)
	}
	return out, nil
}
