// Package samples gives photos of people with and without masks, to try the
// product with: six that an npm package under the MIT licence ships, and those six
// again with masks that it draws onto the faces.
//
// No photo lies in the repository: Ensure fetches them once and keeps what it made.
// It must never import a package of the product. The launcher and the end-to-end
// tests may import it.
package samples
