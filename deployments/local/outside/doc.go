// Package outside is a web site that does not belong to the product: it serves a
// folder of photos, so that a photo can be uploaded by its link on a machine that
// reaches no other site, and it catches the mail and the webhooks that the product
// sends.
//
// It must never import a package of the product or serve anything but these. Its
// program and the end-to-end tests may import it.
package outside
