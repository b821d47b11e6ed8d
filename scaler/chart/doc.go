// Package chart turns numbers over time into the shapes of SVG pictures, and writes such
// pictures. It knows nothing of what the numbers mean.
package chart
