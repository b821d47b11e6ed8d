package webui

import "embed"

//go:embed templates
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// vendored holds what npm fetched; on a fresh clone only its README.
//
//go:embed all:vendor
var vendored embed.FS
