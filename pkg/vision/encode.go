package vision

import (
	"bytes"
	"errors"

	"gocv.io/x/gocv"
)

// JPEG qualities: the annotated photo is looked at closely, the thumbnail in rows.
const (
	annotatedQuality = 88
	thumbnailQuality = 80
)

func encodeJPEG(picture gocv.Mat, quality int) ([]byte, error) {
	encoded, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, picture, []int{gocv.IMWriteJpegQuality, quality})
	if err != nil {
		return nil, err
	}
	defer encoded.Close()
	if encoded.Len() == 0 {
		return nil, errors.New("the encoder gave nothing")
	}
	return bytes.Clone(encoded.GetBytes()), nil
}
