package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Event is something that happened to a batch or a photo.
type Event struct {
	Type    Type
	At      time.Time
	Subject uuid.UUID // the batch or the photo; of a test the message itself
	Status  string    // its state at that moment
	Run     int       // of the batch; of a photo its publication: what tells one end from the next

	// Of photos alone:
	BatchID     uuid.UUID // zero outside of batches
	CustomID    string
	NumFaces    int
	NumUnmasked int
}

// body is what is posted. It says where the facts are, and no more than is needed to
// decide whether to fetch them.
type body struct {
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

type batchData struct {
	ID     uuid.UUID         `json:"id"`
	Status string            `json:"status"`
	Run    int               `json:"run"`
	Links  map[string]string `json:"links"`
}

type detectionData struct {
	ID       uuid.UUID         `json:"id"`
	Status   string            `json:"status"`
	CustomID *string           `json:"custom_id"`
	BatchID  *uuid.UUID        `json:"batch_id"`
	Links    map[string]string `json:"links"`
}

type alertData struct {
	detectionData
	NumFaces    int `json:"num_faces"`
	NumUnmasked int `json:"num_unmasked"`
}

type testData struct {
	Links map[string]string `json:"links"`
}

// Body gives the bytes that are posted, the same for the same event. Links lead below
// site, such as "https://photos.example".
func (e Event) Body(site string) ([]byte, error) {
	text, err := json.Marshal(body{Type: e.Type, Timestamp: e.At.UTC(), Data: e.data(links{site})})
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", e.Type, err)
	}
	return text, nil
}

func (e Event) data(to links) any {
	switch {
	case e.Type == Test:
		return testData{Links: map[string]string{"webhooks": to.v1("webhooks")}}
	case strings.HasPrefix(string(e.Type), "batch."):
		id := e.Subject.String()
		return batchData{ID: e.Subject, Status: e.Status, Run: e.Run, Links: map[string]string{
			"self": to.v1("batches", id), "items": to.v1("batches", id, "items"), "results": to.v1("batches", id, "results"),
		}}
	}
	photo := detectionData{ID: e.Subject, Status: e.Status, Links: map[string]string{"self": to.v1("detections", e.Subject.String())}}
	if e.CustomID != "" {
		photo.CustomID = &e.CustomID
	}
	if e.BatchID != (uuid.UUID{}) {
		photo.BatchID = &e.BatchID
		photo.Links["batch"] = to.v1("batches", e.BatchID.String())
	}
	if e.Type == AlertUnmasked {
		return alertData{photo, e.NumFaces, e.NumUnmasked}
	}
	return photo
}

// links makes absolute addresses of the API.
type links struct{ site string }

func (l links) v1(parts ...string) string {
	return strings.TrimSuffix(l.site, "/") + "/v1/" + strings.Join(parts, "/")
}
