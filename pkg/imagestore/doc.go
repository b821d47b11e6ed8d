// Package imagestore is the door to S3: it keeps the bytes of photos, gives them
// back and signs short-lived links to them.
//
// It must never decide what a photo is or what may be read by whom, and never be
// asked with a key that somebody outside made: keys come from OriginalKey and
// ResultKey. It alone imports the S3 client.
//
// The product's credentials need s3:GetObject, PutObject and DeleteObject on the
// bucket's objects and s3:ListBucket on the bucket; without the last, S3 answers
// 403 instead of 404 to a key that does not exist.
package imagestore
