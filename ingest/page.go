package ingest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/problem"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// listOf is the envelope of every list.
type listOf[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next_page_token"`
}

// newList makes the envelope of what was found where one more than a page was looked
// for: the one more says that there is a next page, which begins after the last entry
// of this one.
func newList[T, U any](found []T, size int, show func(T) U, after func(T) string) listOf[U] {
	list := listOf[U]{Data: make([]U, 0, min(size, len(found)))}
	for _, one := range found[:min(size, len(found))] {
		list.Data = append(list.Data, show(one))
	}
	if len(found) > size {
		next := encodeToken(after(found[size-1]))
		list.Next = &next
	}
	return list
}

// pageSize reads ?page_size=.
func pageSize(c *fiber.Ctx) (int, error) {
	text := c.Query("page_size")
	if text == "" {
		return defaultPageSize, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n < 1 || n > maxPageSize {
		return 0, badQuery("page_size", fmt.Sprintf("takes a whole number from 1 to %d", maxPageSize), err)
	}
	return int(n), nil
}

// A page token names the last entry of the page before. It gives away nothing that
// its bearer has not seen, and nothing is found by it that is not the bearer's.
const tokenVersion = "1."

func encodeToken(last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenVersion + last))
}

func decodeToken(token string) (last string, err error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	last, ok := strings.CutPrefix(string(text), tokenVersion)
	if err == nil && !ok {
		err = errors.New("it is of no known version")
	}
	return last, err
}

// afterID reads ?page_token= of a list in the order of ids; without one it gives the
// zero id.
func afterID(c *fiber.Ctx) (id uuid.UUID, err error) {
	token := c.Query("page_token")
	if token == "" {
		return id, nil
	}
	last, err := decodeToken(token)
	if err == nil {
		id, err = uuid.Parse(last)
	}
	if err == nil && id.String() != last {
		err = errors.New("it holds no id")
	}
	if err != nil {
		return uuid.UUID{}, badToken(err)
	}
	return id, nil
}

// afterLine reads ?page_token= of a list in the order of lines.
func afterLine(c *fiber.Ctx) (int, error) {
	token := c.Query("page_token")
	if token == "" {
		return 0, nil
	}
	last, err := decodeToken(token)
	var line uint64
	if err == nil {
		line, err = strconv.ParseUint(last, 10, 31)
	}
	if err != nil {
		return 0, badToken(err)
	}
	return int(line), nil
}

func badToken(err error) error {
	return badQuery("page_token", "is not one that was given out", err)
}

func badQuery(name, why string, err error) error {
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "“"+name+"” "+why+".").
		WithField(name, why).WithCause(err)
}

// oneOf reads a query that must be one of some words, or absent.
func oneOf[T ~string](c *fiber.Ctx, name string, words []T) (T, error) {
	text := c.Query(name)
	if text == "" {
		return "", nil
	}
	names := make([]string, len(words))
	for i, word := range words {
		if text == string(word) {
			return word, nil
		}
		names[i] = string(word)
	}
	return "", badQuery(name, "must be one of "+strings.Join(names, ", "), nil)
}
