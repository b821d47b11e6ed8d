// Package webui is the look of both sites: the page frame, the kit of templates,
// styles and scripts, and every page's template beside the type that fills it.
//
// It turns values into HTML and serves static files under names that carry their
// content's hash. It must never read a store, decide who may see what, or let an
// internal error's text onto a page. The front door and the manager import it.
package webui
