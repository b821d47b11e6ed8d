package vision

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"image"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"

	"maskfleet/pkg/job"
	"maskfleet/pkg/visionconfig"
)

//go:embed model/manifest.json model/detector.onnx
var ownModel embed.FS

const (
	manifestFile     = "manifest.json"
	maxManifestBytes = 1 << 20
	maxNetworkBytes  = 256 << 20
)

// model is a network and how it is used at one working point.
type model struct {
	name       job.Model
	network    *network
	input      input
	decode     decoder
	overlap    float64
	agreement  float64
	confidence *confidence           // nil: the network's score
	thresholds map[job.Label]float64 // the confidence from which a face is given
	shipped    map[job.Label]float64 // the manifest's: the same, but for a measurement
}

// counts says whether a user would see the face.
func (m *model) counts(b box) bool { return b.confidence >= m.shipped[b.label] }

// class is one of the network's classes.
type class struct {
	label      job.Label // "": no face
	leastScore float32   // from which a box is a candidate
}

// decoder turns a network's outputs into boxes, in pixels of the network's input.
type decoder interface {
	// decode gives what an input of size gave; outputs of another shape than they must
	// have are an error.
	decode(outputs []tensor, size image.Point) ([]box, error)
}

// openModel loads the model that cfg names and holds it against its manifest by a
// run on a picture without faces.
func openModel(cfg Config) (*model, error) {
	if cfg.ModelFolder == "" {
		folder, err := fs.Sub(ownModel, "model")
		if err != nil {
			return nil, fmt.Errorf("opening the embedded model: %w", err)
		}
		return loadModel(folder, cfg)
	}
	root, err := os.OpenRoot(cfg.ModelFolder) // a manifest cannot name a file outside
	if err != nil {
		return nil, fmt.Errorf("opening the model folder: %w", err)
	}
	defer root.Close()
	m, err := loadModel(root.FS(), cfg)
	if err != nil {
		return nil, fmt.Errorf("model folder %s: %w", cfg.ModelFolder, err)
	}
	return m, nil
}

func loadModel(folder fs.FS, cfg Config) (*model, error) {
	text, err := readBounded(folder, manifestFile, maxManifestBytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", manifestFile, err)
	}
	manifest, err := readManifest(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", manifestFile, err)
	}
	onnx, err := readBounded(folder, manifest.File, maxNetworkBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the network: %w", err)
	}
	network, err := openNetwork(onnx, manifest.Decode.Outputs)
	if err != nil {
		return nil, fmt.Errorf("reading the network %s: %w", manifest.File, err)
	}
	m := newModel(manifest, network, cfg)
	m.name = job.Model{Name: nameOf(manifest, cfg), Version: manifest.Version + "-" + digest(text, onnx)}
	if err := m.tryOut(); err != nil {
		m.close()
		return nil, fmt.Errorf("trying out the network %s: %w", manifest.File, err)
	}
	return m, nil
}

func newModel(manifest manifest, network *network, cfg Config) *model {
	m := &model{
		network:    network,
		input:      newInput(manifest.Input, cfg.WorkingPoint),
		overlap:    manifest.Overlap,
		agreement:  manifest.Agreement,
		thresholds: manifest.thresholds(cfg),
		shipped:    manifest.thresholds(Config{WorkingPoint: cfg.WorkingPoint}),
	}
	if of, given := manifest.Confidence[cfg.WorkingPoint]; given {
		m.confidence = &of
	}
	switch classes := manifest.classes(m.thresholds); manifest.Decode.Type {
	case decodeCells:
		m.decode = newCells(manifest.Decode, classes)
	case decodeAnchors:
		m.decode = newAnchors(manifest.Decode, classes)
	}
	return m
}

// thresholds are the manifest's, unless a measurement wants others; of the precision
// that scores have, so that one which is just reached counts.
func (m manifest) thresholds(cfg Config) map[job.Label]float64 {
	thresholds := maps.Clone(m.Thresholds[cfg.WorkingPoint])
	for label, least := range thresholds {
		if cfg.LeastConfidence > 0 {
			least = cfg.LeastConfidence
		}
		thresholds[label] = float64(float32(least))
	}
	return thresholds
}

// classes are the network's, in its order.
func (m manifest) classes(thresholds map[job.Label]float64) []class {
	var classes []class
	for _, name := range m.Classes {
		c := class{leastScore: 2} // never reached
		if name != classBackground {
			c = class{label: job.Label(name), leastScore: float32(cmp.Or(m.Candidates, thresholds[job.Label(name)]))}
		}
		classes = append(classes, c)
	}
	return classes
}

// nameOf says what was asked of the model beside its name.
func nameOf(m manifest, cfg Config) string {
	name := m.Name + "-" + string(cfg.WorkingPoint)
	if cfg.Tiles == visionconfig.TilesAuto {
		name += "-tiles"
	}
	return name
}

// digest tells models apart whose makers forgot to give them another version.
func digest(manifest, onnx []byte) string {
	hash := sha256.New()
	_, _ = hash.Write(manifest) // never fails
	_, _ = hash.Write(onnx)
	return hex.EncodeToString(hash.Sum(nil)[:4])
}

func (m *model) close() { m.network.close() }

// tryOut runs the network on grey pictures of the shapes that photos have.
func (m *model) tryOut() error {
	for _, photo := range m.input.samples() {
		grey := make([]byte, 3*photo.X*photo.Y)
		for i := range grey {
			grey[i] = 127
		}
		outputs, err := m.network.run(grey, photo, m.input.feed)
		if err != nil {
			return err
		}
		for i, output := range outputs {
			if at := firstNotANumber(output.values); at >= 0 {
				return fmt.Errorf("value %d of output %d is not a number", at, i)
			}
		}
		if _, err := m.decode.decode(outputs, photo); err != nil {
			return err
		}
	}
	return nil
}

func firstNotANumber(values []float32) int {
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return i
		}
	}
	return -1
}

func readBounded(folder fs.FS, name string, most int64) ([]byte, error) {
	file, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	_ = file.Close() // of what was only read
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return data, nil
}
