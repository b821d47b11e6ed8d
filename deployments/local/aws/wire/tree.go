package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// node is a parameter of a request, whatever protocol brought it: a text, or parts
// by their names. Those of a list are named by their numbers.
type node struct {
	text  string
	parts map[string]*node
}

func (n *node) part(name string) *node {
	if n.parts == nil {
		n.parts = make(map[string]*node)
	}
	if n.parts[name] == nil {
		n.parts[name] = &node{}
	}
	return n.parts[name]
}

// formTree reads names like Filter.1.Value.2.
func formTree(form url.Values) *node {
	root := &node{}
	for name, values := range form {
		at := root
		for step := range strings.SplitSeq(name, ".") {
			at = at.part(step)
		}
		at.text = values[0]
	}
	return root
}

func jsonTree(body []byte) (*node, error) {
	root := &node{}
	if len(body) == 0 {
		return root, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number's own text
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, object := value.(map[string]any); !object {
		return nil, errors.New("reading JSON: it is no object")
	}
	root.plantJSON(value)
	return root, nil
}

func (n *node) plantJSON(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, part := range v {
			if part != nil {
				n.part(name).plantJSON(part)
			}
		}
	case []any:
		for i, item := range v {
			n.part(strconv.Itoa(i + 1)).plantJSON(item)
		}
	default:
		n.text = fmt.Sprint(v)
	}
}

func cborTree(body []byte) (*node, error) {
	if len(body) == 0 {
		return &node{}, nil
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("reading CBOR: %w", err)
	}
	root := &node{}
	return root, root.plant(value)
}

func (n *node) plant(value cbor.Value) error {
	switch v := value.(type) {
	case cbor.Map:
		for name, part := range v {
			if _, absent := part.(*cbor.Nil); absent {
				continue
			}
			if err := n.part(name).plant(part); err != nil {
				return err
			}
		}
	case cbor.List:
		for i, item := range v {
			if err := n.part(strconv.Itoa(i + 1)).plant(item); err != nil {
				return err
			}
		}
	case *cbor.Tag: // 1, a time; its text is seconds
		return n.plant(v.Value)
	default:
		text, err := scalar(value)
		n.text = text
		return err
	}
	return nil
}

func scalar(value cbor.Value) (string, error) {
	switch v := value.(type) {
	case cbor.String:
		return string(v), nil
	case cbor.Bool:
		return strconv.FormatBool(bool(v)), nil
	case cbor.Uint:
		return strconv.FormatUint(uint64(v), 10), nil
	case cbor.NegInt:
		return "-" + strconv.FormatUint(uint64(v), 10), nil
	case cbor.Float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), nil
	case cbor.Float64:
		return strconv.FormatFloat(float64(v), 'g', -1, 64), nil
	default:
		return "", fmt.Errorf("reading CBOR: %T is no parameter", value)
	}
}
