package manager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// logTimeout is how long a page waits for a worker's log.
const logTimeout = 2 * time.Second

// showLog answers GET /workers/{worker}/log with the last lines of its log, which the
// worker itself keeps and tells.
func (s *Service) showLog(c *fiber.Ctx) error {
	id := strings.Clone(c.Params("worker"))
	if !namesAWorker(id) {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such worker.")
	}
	page := webui.LogPage{
		Frame: frame(c, "Log of "+id, webui.NavFleet), Worker: id, At: time.Now(), Problems: c.Query("level") == "warn",
		Does: webui.NewCommand("does-log", "maskfleet.worker."+id+".log", []byte(`{"lines":200}`)),
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), logTimeout)
	defer cancel()
	by := command.Asker{Name: login.User(c).Username, Via: command.ViaPage}
	answer, err := command.Ask[struct {
		Lines []string `json:"lines"`
	}](ctx, s.queue, "maskfleet.worker."+id+".log", by, struct{}{})
	var p *problem.Problem
	switch {
	case errors.As(err, &p) && p.Status != http.StatusInternalServerError:
		page.Wrong = p.Detail
	case err != nil:
		return err
	}
	for _, text := range slices.Backward(answer.Lines) { // the newest is what somebody looks for
		if line := logLine(text); !page.Problems || line.Bad() {
			page.Lines = append(page.Lines, line)
		}
	}
	page.Of = len(answer.Lines)
	return s.kit.Render(c, "log", page)
}

// logLine reads a line as it was written; what is no JSON is shown as it is.
func logLine(text string) webui.LogLine {
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return webui.LogLine{Words: text}
	}
	take := func(name string) string {
		value, _ := fields[name].(string)
		delete(fields, name)
		return value
	}
	line := webui.LogLine{Level: take("level"), Words: take("msg")}
	line.At, _ = time.Parse(time.RFC3339Nano, take("time"))
	delete(fields, "service")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		line.Fields = append(line.Fields, webui.Fact{Name: name, Value: fieldWords(fields[name])})
	}
	return line
}

func fieldWords(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64, bool, nil:
		return fmt.Sprint(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
}
