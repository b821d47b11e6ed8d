package webui

// APIDocsPage fills page "apidocs": the HTTP API, from its OpenAPI document.
type APIDocsPage struct {
	Frame
	About    string
	Document string // where the document itself is
	Groups   []APIGroup
	Schemas  []APISchema
}

// APIGroup is calls about the same thing.
type APIGroup struct {
	Name  string
	About string
	Calls []APICall
}

// APICall is one method of one address.
type APICall struct {
	ID         string // of the call, for links to it
	Method     string // in capitals
	Path       string
	Summary    string
	About      string
	Scope      string // that a key needs; "" for none
	Parameters []APIField
	Bodies     []APIContent
	Answers    []APIAnswer
}

// APIField is a parameter, or a member of an object.
type APIField struct {
	Name     string
	In       string // of a parameter: path, query or header
	Type     APIType
	Required bool
	About    string
}

// APIType says in words what a value is.
type APIType struct {
	Words  string
	Schema string // the name of the one that it is, or is made of; "" for none
}

// APIContent is a body of some kind.
type APIContent struct {
	Kind  string // its media type
	Type  APIType
	About string
}

// APIAnswer is what is answered with one status.
type APIAnswer struct {
	Status   string
	About    string
	Contents []APIContent
}

// APISchema is an object that has a name.
type APISchema struct {
	Name   string
	About  string
	Fields []APIField
}
