package ingest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// openAPI describes every call of the API; a test holds it against the routes and the
// answers.
//
//go:embed openapi.json
var openAPI []byte

const openAPIPath = apiRoot + "/openapi.json"

// getOpenAPI answers GET /v1/openapi.json. It is for everybody: it shows nothing that
// is anybody's.
func getOpenAPI(c *fiber.Ctx) error {
	tag := etagOf(openAPI)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(openAPI)
}

// apiDocument is what the page needs of the document.
type apiDocument struct {
	Info struct {
		Description string `json:"description"`
	} `json:"info"`
	Tags       []apiTag        `json:"tags"`
	RawPaths   json.RawMessage `json:"paths"`
	Components struct {
		Parameters map[string]apiParameter `json:"parameters"`
		Responses  map[string]apiResponse  `json:"responses"`
		RawSchemas json.RawMessage         `json:"schemas"`
	} `json:"components"`
}

type apiTag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type apiOperation struct {
	ID          string                 `json:"operationId"`
	Tags        []string               `json:"tags"`
	Summary     string                 `json:"summary"`
	Description string                 `json:"description"`
	Scope       string                 `json:"x-scope"`
	Parameters  []apiParameter         `json:"parameters"`
	Body        apiResponse            `json:"requestBody"`
	Responses   map[string]apiResponse `json:"responses"`
}

type apiParameter struct {
	Ref         string    `json:"$ref"`
	Name        string    `json:"name"`
	In          string    `json:"in"`
	Description string    `json:"description"`
	Required    bool      `json:"required"`
	Schema      apiSchema `json:"schema"`
}

type apiResponse struct {
	Ref         string                `json:"$ref"`
	Description string                `json:"description"`
	Content     map[string]apiContent `json:"content"`
}

type apiContent struct {
	Schema apiSchema `json:"schema"`
}

type apiSchema struct {
	Ref         string          `json:"$ref"`
	Type        apiTypes        `json:"type"`
	Format      string          `json:"format"`
	Description string          `json:"description"`
	Enum        []any           `json:"enum"`
	OneOf       []apiSchema     `json:"oneOf"`
	Items       *apiSchema      `json:"items"`
	Properties  json.RawMessage `json:"properties"`
	Required    []string        `json:"required"`
}

// apiTypes is one name of a type, or several.
type apiTypes []string

func (t *apiTypes) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = apiTypes{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// named is a name and a value of a JSON object, in the order of the text.
type named[T any] struct {
	name  string
	value T
}

// ordered reads the members of a JSON object in their order.
type ordered[T any] []named[T]

func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(strings.NewReader(string(text)))
	if _, err := in.Token(); err != nil {
		return err
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		m := named[T]{name: fmt.Sprint(name)}
		if err := in.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// lastOf is the name that a reference ends with.
func lastOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// words says what a value is, and which schema it is made of.
func (s apiSchema) words() (words, schema string) {
	switch {
	case s.Ref != "":
		return "", lastOf(s.Ref)
	case len(s.OneOf) > 0:
		var all []string
		for _, one := range s.OneOf {
			words, name := one.words()
			if name != "" {
				schema = name
			} else {
				all = append(all, words)
			}
		}
		if len(all) == 0 {
			return "", schema
		}
		return strings.Join(all, " or ") + " or", schema
	case s.Items != nil:
		words, schema = s.Items.words()
		return strings.TrimSpace("list of " + words), schema
	case len(s.Enum) > 0:
		var all []string
		for _, one := range s.Enum {
			if one != nil {
				all = append(all, fmt.Sprint(one))
			}
		}
		if slices.Contains(s.Type, "null") {
			all = append(all, "null")
		}
		return strings.Join(all, ", "), ""
	}
	words = strings.Join(s.Type, " or ")
	if s.Format != "" {
		words += " (" + s.Format + ")"
	}
	return words, ""
}
