// Package apiv1 is a photo in the words of the /v1 API: the answer about one photo,
// a line of a batch's results and the payload of its events alike.
//
// It stands apart from the front door because a worker puts the answer into the cache
// as soon as it has the result. It must never tell what only the product may know: the
// cause of a failure, the keys of objects. It does no I/O.
package apiv1
