// Package ingest is the front door: it takes photos by page, by API and by the
// ancestor's endpoints, promises to finish those it accepts, and gives their
// results to whom they belong.
//
// It decides about admission before it stores anything, and once a photo's row is
// committed it answers 2xx whatever happens next. It must never decode pixels,
// fetch a link or show a client the text of an internal error. Only its program and
// the end-to-end tests may import it.
package ingest
