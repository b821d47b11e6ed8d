package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/webui"
)

// newAPIDocs makes the page of the OpenAPI document.
func newAPIDocs(document []byte) (webui.APIDocsPage, error) {
	var doc apiDocument
	if err := json.Unmarshal(document, &doc); err != nil {
		return webui.APIDocsPage{}, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	var paths ordered[ordered[apiOperation]]
	var schemas ordered[apiSchema]
	if err := json.Unmarshal(doc.RawPaths, &paths); err != nil {
		return webui.APIDocsPage{}, fmt.Errorf("reading the paths of the OpenAPI document: %w", err)
	}
	if err := json.Unmarshal(doc.Components.RawSchemas, &schemas); err != nil {
		return webui.APIDocsPage{}, fmt.Errorf("reading the schemas of the OpenAPI document: %w", err)
	}
	page := webui.APIDocsPage{About: doc.Info.Description, Document: openAPIPath}
	for _, tag := range doc.Tags {
		group := webui.APIGroup{Name: tag.Name, About: tag.Description}
		for _, path := range paths {
			for _, method := range path.value {
				if slices.Contains(method.value.Tags, tag.Name) {
					group.Calls = append(group.Calls, doc.call(strings.ToUpper(method.name), path.name, method.value))
				}
			}
		}
		page.Groups = append(page.Groups, group)
	}
	for _, s := range schemas {
		fields, err := s.value.fields()
		if err != nil {
			return page, err
		}
		page.Schemas = append(page.Schemas, webui.APISchema{Name: s.name, About: s.value.Description, Fields: fields})
	}
	return page, nil
}

func (d *apiDocument) call(method, path string, op apiOperation) webui.APICall {
	call := webui.APICall{
		ID: op.ID, Method: method, Path: path, Summary: op.Summary, About: op.Description, Scope: op.Scope, Bodies: op.Body.contents(),
	}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[lastOf(p.Ref)]
		}
		call.Parameters = append(call.Parameters, webui.APIField{
			Name: p.Name, In: p.In, Type: p.Schema.kind(), Required: p.Required, About: p.Description,
		})
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		if r.Ref != "" {
			r = d.Components.Responses[lastOf(r.Ref)]
		}
		call.Answers = append(call.Answers, webui.APIAnswer{Status: status, About: r.Description, Contents: r.contents()})
	}
	return call
}

func (r apiResponse) contents() (all []webui.APIContent) {
	for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
		s := r.Content[kind].Schema
		all = append(all, webui.APIContent{Kind: kind, Type: s.kind(), About: s.Description})
	}
	return all
}

func (s apiSchema) kind() webui.APIType {
	words, schema := s.words()
	return webui.APIType{Words: words, Schema: schema}
}

func (s apiSchema) fields() (fields []webui.APIField, err error) {
	if s.Properties == nil {
		return nil, nil
	}
	var properties ordered[apiSchema]
	if err := json.Unmarshal(s.Properties, &properties); err != nil {
		return nil, fmt.Errorf("reading a schema of the OpenAPI document: %w", err)
	}
	for _, p := range properties {
		fields = append(fields, webui.APIField{
			Name: p.name, Type: p.value.kind(), Required: slices.Contains(s.Required, p.name), About: p.value.Description,
		})
	}
	return fields, nil
}

// mountAPIDocs adds the page that shows the API. It is for everybody, as the document
// is.
func (p *pages) mountAPIDocs(app *fiber.App) error {
	page, err := newAPIDocs(openAPI)
	if err != nil {
		return err
	}
	app.Get("/docs/api", func(c *fiber.Ctx) error {
		page := page
		page.Frame = webui.Frame{Site: webui.SiteDoor, Title: "HTTP API"}
		return p.kit.Render(c, "apidocs", page)
	})
	return nil
}
