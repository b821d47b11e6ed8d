package ec2

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"
)

// template is a launch that is kept under a name, in versions that never change.
type template struct {
	ID, Name  string
	CreatedAt time.Time
	Default   int
	Tags      map[string]string
	Versions  []templateVersion
	Token     string // of the client that made it
	Asked     string // fingerprint of what it asked for
}

type templateVersion struct {
	Number      int
	Description string
	CreatedAt   time.Time
	Data        launch
	Token       string // of the client that made it
	Asked       string // fingerprint of what it asked for
}

// templateReference names a template by one of its two names.
type templateReference struct {
	ID      string `wire:"LaunchTemplateId"`
	Name    string `wire:"LaunchTemplateName"`
	Version string
}

type createTemplateRequest struct {
	Name              string             `wire:"LaunchTemplateName"`
	Description       string             `wire:"VersionDescription"`
	Data              launch             `wire:"LaunchTemplateData"`
	TagSpecifications []tagSpecification `wire:"TagSpecification"`
	ClientToken       string
	DryRun            bool
}

// templateResponse is the answer to all that changes one.
type templateResponse struct {
	Template templateDescription `wire:"launchTemplate"`
}

func (e *EC2) createTemplate(_ context.Context, in createTemplateRequest) (templateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.kept.Templates {
		switch {
		case in.ClientToken != "" && t.Token == in.ClientToken && t.Asked == fingerprint(in):
			return templateResponse{e.describeTemplate(t)}, nil
		case in.ClientToken != "" && t.Token == in.ClientToken:
			return templateResponse{}, fail(idempotentMismatch, "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		case t.Name == in.Name:
			return templateResponse{}, fail(invalidTemplateNameExists, "Launch template name already in use.")
		}
	}
	if in.Name == "" {
		return templateResponse{}, fail(missingParameter, "The request must contain the parameter LaunchTemplateName")
	}
	if _, err := in.Data.decodedUserData(); err != nil {
		return templateResponse{}, err
	}
	tags := tagsFor("launch-template", in.TagSpecifications)
	if err := checkTags(tags); err != nil {
		return templateResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return templateResponse{}, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	t := &template{
		ID: newID("lt"), Name: in.Name, CreatedAt: now, Default: 1, Tags: tags, Token: in.ClientToken, Asked: fingerprint(in),
		Versions: []templateVersion{{Number: 1, Description: in.Description, CreatedAt: now, Data: in.Data}},
	}
	e.kept.Templates[t.ID] = t
	return templateResponse{e.describeTemplate(t)}, e.save()
}

// template is called with mu held.
func (e *EC2) template(r templateReference) (*template, error) {
	if r.ID != "" {
		if !idPattern("lt").MatchString(r.ID) {
			return nil, fail(invalidTemplateIDMalformed, "Invalid launch template id '%s'.", r.ID)
		}
		if t := e.kept.Templates[r.ID]; t != nil {
			return t, nil
		}
		return nil, fail(invalidTemplateIDNotFound, "The specified launch template, with template ID %s, does not exist.", r.ID)
	}
	for _, t := range e.kept.Templates {
		if t.Name == r.Name {
			return t, nil
		}
	}
	return nil, fail(invalidTemplateNameMissing, "The specified launch template, with template name %s, does not exist.", r.Name)
}

// templateVersion takes a number, $Default or $Latest; without one it is the default.
func (e *EC2) templateVersion(r templateReference) (templateVersion, error) {
	t, err := e.template(r)
	if err != nil {
		return templateVersion{}, err
	}
	return t.version(r.Version)
}

func (t *template) version(name string) (templateVersion, error) {
	number, err := 0, error(nil)
	switch name {
	case "", "$Default":
		number = t.Default
	case "$Latest":
		number = t.latest()
	default:
		number, err = strconv.Atoi(name)
	}
	i := slices.IndexFunc(t.Versions, func(v templateVersion) bool { return v.Number == number })
	if err != nil || i < 0 {
		return templateVersion{}, fail(invalidTemplateVersion, "Could not find the specified version %s for the launch template with ID %s.", name, t.ID)
	}
	return t.Versions[i], nil
}

func (t *template) latest() int { return t.Versions[len(t.Versions)-1].Number }

type createVersionRequest struct {
	ID            string `wire:"LaunchTemplateId"`
	Name          string `wire:"LaunchTemplateName"`
	SourceVersion string
	Description   string `wire:"VersionDescription"`
	Data          launch `wire:"LaunchTemplateData"`
	ClientToken   string
	DryRun        bool
}

type createVersionResponse struct {
	Version versionDescription `wire:"launchTemplateVersion"`
}

func (e *EC2) createTemplateVersion(_ context.Context, in createVersionRequest) (createVersionResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.template(templateReference{ID: in.ID, Name: in.Name})
	if err != nil {
		return createVersionResponse{}, err
	}
	for _, v := range t.Versions {
		switch {
		case in.ClientToken == "" || v.Token != in.ClientToken:
		case v.Asked == fingerprint(in):
			return createVersionResponse{e.describeVersion(t, v)}, nil
		default:
			return createVersionResponse{}, fail(idempotentMismatch, "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		}
	}
	data := in.Data
	if in.SourceVersion != "" {
		source, err := t.version(in.SourceVersion)
		if err != nil {
			return createVersionResponse{}, err
		}
		data = data.over(source.Data)
	}
	if _, err := data.decodedUserData(); err != nil {
		return createVersionResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return createVersionResponse{}, err
	}
	v := templateVersion{t.latest() + 1, in.Description, time.Now().UTC().Truncate(time.Second), data, in.ClientToken, fingerprint(in)}
	t.Versions = append(t.Versions, v)
	return createVersionResponse{e.describeVersion(t, v)}, e.save()
}

type modifyTemplateRequest struct {
	ID      string `wire:"LaunchTemplateId"`
	Name    string `wire:"LaunchTemplateName"`
	Default string `wire:"SetDefaultVersion"`
	DryRun  bool
}

func (e *EC2) modifyTemplate(_ context.Context, in modifyTemplateRequest) (templateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.template(templateReference{ID: in.ID, Name: in.Name})
	if err != nil {
		return templateResponse{}, err
	}
	v, err := t.version(in.Default)
	if err != nil {
		return templateResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return templateResponse{}, err
	}
	t.Default = v.Number
	return templateResponse{e.describeTemplate(t)}, e.save()
}

type deleteTemplateRequest struct {
	ID     string `wire:"LaunchTemplateId"`
	Name   string `wire:"LaunchTemplateName"`
	DryRun bool
}

func (e *EC2) deleteTemplate(_ context.Context, in deleteTemplateRequest) (templateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.template(templateReference{ID: in.ID, Name: in.Name})
	if err != nil {
		return templateResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return templateResponse{}, err
	}
	delete(e.kept.Templates, t.ID)
	return templateResponse{e.describeTemplate(t)}, e.save()
}

type describeTemplatesRequest struct {
	IDs        []string `wire:"LaunchTemplateId"`
	Names      []string `wire:"LaunchTemplateName"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type describeTemplatesResponse struct {
	Templates []templateDescription `wire:"launchTemplates"`
	NextToken string                `wire:"nextToken"`
}

func (e *EC2) describeTemplates(_ context.Context, in describeTemplatesRequest) (describeTemplatesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := dryRun(in.DryRun); err != nil {
		return describeTemplatesResponse{}, err
	}
	var named []*template
	for _, id := range in.IDs {
		t, err := e.template(templateReference{ID: id})
		if err != nil {
			return describeTemplatesResponse{}, err
		}
		named = append(named, t)
	}
	for _, name := range in.Names {
		t, err := e.template(templateReference{Name: name})
		if err != nil {
			return describeTemplatesResponse{}, err
		}
		named = append(named, t)
	}
	if len(in.IDs)+len(in.Names) == 0 {
		for _, t := range e.kept.Templates {
			named = append(named, t)
		}
	}
	slices.SortFunc(named, func(a, b *template) int { return cmp.Compare(a.Name, b.Name) })
	named, err := filtered(named, in.Filters, matchers[*template]{
		"launch-template-name": func(t *template) []string { return []string{t.Name} },
		"tag:":                 func(t *template) []string { return pairs(t.Tags) },
		"tag-key":              func(t *template) []string { return keys(t.Tags) },
	})
	if err != nil {
		return describeTemplatesResponse{}, err
	}
	page, next, err := paged(named, in.MaxResults, in.NextToken)
	out := describeTemplatesResponse{Templates: []templateDescription{}, NextToken: next}
	for _, t := range page {
		out.Templates = append(out.Templates, e.describeTemplate(t))
	}
	return out, err
}
