package house_test

import (
	"slices"
	"strings"
	"testing"
)

// A door is the only place where an outside product enters, so that the rest of the
// house speaks its own words and the product can be replaced.
type door struct {
	product string
	owners  []string // folders
	why     string
}

func doors() []door {
	return []door{
		{"github.com/nats-io/nats.go", []string{"pkg/jobqueue"}, "all subjects and all handling of acks stand in one package"},
		{"github.com/nats-io/nats-server", []string{"pkg/testenv", "deployments/local/cmd/nats"}, "the broker is embedded for one machine and for tests only"},
		{"database/sql", []string{"pkg/jobstore", "pkg/testenv"}, "every statement stands in one package, where tests hold its dialect and its guards"},
		{"github.com/go-sql-driver", []string{"pkg/jobstore", "pkg/testenv"}, "see database/sql"},
		{"github.com/pressly/goose", []string{"pkg/jobstore"}, "one line of migrations, applied by one explicit step"},
		{"github.com/aws/aws-sdk-go-v2", []string{"pkg/imagestore", "pkg/fleet"}, "the SDK takes long to compile, and its errors mean something to its doors only"},
		{"github.com/aws/aws-sdk-go-v2/service/s3", []string{"pkg/imagestore"}, "one package decides what a key is"},
		{"github.com/aws/aws-sdk-go-v2/service/ec2", []string{"pkg/fleet"}, "nothing is launched that was not written down before"},
		{"github.com/aws/smithy-go", []string{"pkg/imagestore", "pkg/fleet", "deployments/local/aws/wire"}, "see the SDK; the stand-in for AWS takes AWS's own CBOR and nothing else of it"},
		{"github.com/redis", []string{"pkg/cache"}, "what may vanish at any time must be seen to be that"},
		{"gocv.io", []string{"pkg/vision"}, "OpenCV reads a stranger's bytes in C++ and may take its process down"},
		{"github.com/gofiber", []string{"pkg/httpserver", "pkg/webui", "ingest", "manager"}, "Fiber's contexts are reused after the handler and must stay in handlers"},
		{"github.com/valyala", []string{"pkg/httpserver"}, "see Fiber"},
		{"github.com/prometheus/client_golang/prometheus/promhttp", []string{"pkg/telemetry"}, "metrics are served on the private listener only; others take a Registerer"},
		{"go.opentelemetry.io/otel/sdk", []string{"pkg/telemetry"}, "one place decides where traces go; others use the interface"},
		{"github.com/go-json-experiment", []string{"pkg/strictjson"}, "what is wrong with a document is said in one way"},
		{"github.com/caarlos0/env", []string{"pkg/config"}, "settings are read in one way"},
		{"github.com/alexedwards/argon2id", []string{"pkg/account", "pkg/testenv"}, "a hash takes 19 MiB: one place bounds how many at once; tests make cheap ones"},
		{"github.com/wneessen/go-mail", []string{"pkg/mail"}, "one place decides how a message is protected on its way"},
		{"github.com/emersion", []string{"deployments/local/outside"}, "a server that catches mail is no part of the product"},
		{"github.com/chromedp", []string{"pkg/webui/browser"}, "tests drive a browser in one way"},
		{"testing", madeForTests(), "only packages made for tests know that tests exist"},
		{"unsafe", []string{"inference-worker/slot/child"}, "nothing here is worth it but a system call"},
	}
}

// madeForTests are the packages that must not be in a program.
func madeForTests() []string {
	return []string{"pkg/testenv", "deployments/local/aws/awstest", "pkg/webui/browser", "pkg/vision/visiontest", "inference-worker/slot/slottest"}
}

func TestEveryProductHasOneDoor(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	for _, d := range doors() {
		for _, p := range packages {
			for _, imported := range p.Imports {
				if within(imported, d.product) && !withinAny(p.Path, d.owners) {
					t.Errorf("%s imports %s, whose door is %v: %s", p.Path, imported, d.owners, d.why)
				}
			}
		}
	}
}

// A wall stands between two parts of the house.
type wall struct {
	from   string   // folder; "": everywhere
	to     []string // folders
	except []string // of from
	open   []string // of to
	why    string
}

func walls() []wall {
	all := []wall{
		{from: "pkg/job", to: rooms(), open: []string{"pkg/strictjson"}, why: "the vocabulary stands below everything and does nothing"},
		{from: "pkg/strictjson", to: rooms(), why: "it is below the vocabulary, too: it knows documents, not what is in them"},
		{from: "pkg", to: append(services(), "deployments"), why: "what is shared must not know who uses it"},
		{from: "scaler/simulate", to: []string{"pkg", "ingest", "inference-worker", "manager", "deployments"}, why: "the model runs the decision, and nothing else of the product it stands for"},
		{from: "", to: []string{"deployments"}, except: []string{"deployments"}, why: "a way of running the product is not part of it"},
		{from: "deployments/local", to: append(services(), "pkg"), except: []string{"deployments/local/aws/awstest"}, why: "the launcher knows programs by name and environment, and compiles fast; and the stand-in for AWS must not share the product's mistakes about AWS"},
		{from: "", to: []string{"pkg/house"}, why: "it holds tests only"},
		{from: "", to: append(madeForTests(), "pkg/client/clienttest"), except: madeForTests(), why: "made for tests; a program that contains it is larger and more dangerous for nothing"},
		{from: "", to: []string{"pkg/fleet"}, except: []string{"pkg/fleet", "scaler"}, why: "the scaler is the only writer of the fleet"},
		{from: "", to: []string{"pkg/vision"}, except: []string{"pkg/vision", "inference-worker/cmd/slot", "inference-worker/cmd/eval"}, why: "only the slot's program may hold OpenCV, and the one that measures the detector"},
		{from: "", to: []string{"inference-worker/slot/child"}, except: []string{"inference-worker/slot/slottest", "inference-worker/cmd/slot"}, why: "what a slot does to itself would cripple any other process"},
	}
	for _, service := range services() {
		var others []string
		for _, other := range services() {
			if other != service {
				others = append(others, other)
			}
		}
		all = append(all, wall{from: service, to: others, why: "services meet in the queue, the stores and the cache, never in code"})
	}
	return all
}

func TestWallsStand(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	for _, w := range walls() {
		for _, p := range packages {
			if (w.from != "" && !within(p.Path, w.from)) || withinAny(p.Path, w.except) {
				continue
			}
			for _, imported := range p.Imports {
				if isOurs(imported) && withinAny(imported, w.to) && !withinAny(imported, w.open) {
					t.Errorf("%s imports %s: %s", p.Path, imported, w.why)
				}
			}
		}
	}
}

// TestClientStandsAlone: what an integrator's program takes in.
func TestClientStandsAlone(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if !within(p.Path, "pkg/client") {
			continue
		}
		for _, imported := range p.Imports {
			if isOurs(imported) && !within(imported, "pkg/client") {
				t.Errorf("%s imports %s: whoever talks to the product carries nothing of its server", p.Path, imported)
			}
			if p.Path == "pkg/client" && strings.Contains(imported, ".") {
				t.Errorf("%s imports %s: a client that needs the standard library only can be taken anywhere", p.Path, imported)
			}
		}
	}
}

// TestDecisionsArePure: a decision that could read a clock, a file or the network would
// not be the same in a replay.
func TestDecisionsArePure(t *testing.T) {
	t.Parallel()
	allowed := []string{"encoding/json", "errors", "fmt", "math", "pkg/strictjson", "slices", "strconv", "strings", "time"}
	for _, p := range listPackages(t) {
		if p.Path != "scaler/decide" {
			continue
		}
		for _, imported := range p.Imports {
			if !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s: it is a pure function, and needs no more than %v", p.Path, imported, allowed)
			}
		}
	}
	for name, text := range goFiles(t) {
		if within(name, "scaler/decide") && strings.Contains(string(text), "time.Now(") {
			t.Errorf("%s reads the clock: the time is part of the observation", name)
		}
	}
}

// A burden is what a whole program must not carry, by whatever way it would come in.
type burden struct {
	programs []string // folders; nil: all
	except   []string
	packages []string
	why      string
}

func burdens() []burden {
	service := []string{"ingest/cmd", "inference-worker/cmd/inference-worker", "manager/cmd", "scaler/cmd", "deployments/setup"}
	return []burden{
		{nil, []string{"inference-worker/cmd/slot", "inference-worker/cmd/eval"}, []string{"gocv.io"}, "a fault in OpenCV must cost a slot and nothing else"},
		{service, nil, []string{"pkg/testenv", "github.com/nats-io/nats-server", "github.com/chromedp", "net/http/httptest"}, "a service carries no test tools and no servers of others"},
		{service, []string{"scaler/cmd"}, []string{"github.com/aws/aws-sdk-go-v2/service/ec2"}, "the scaler is the only writer of the fleet, and the client takes minutes to compile"},
		{[]string{"inference-worker/cmd/slot"}, nil, []string{"net/http", "os/exec", "pkg/config", "pkg/telemetry"}, "a slot reads its pipe and writes its pipe: no network, no settings, no children"},
		{[]string{"inference-worker/cmd/inference-worker"}, nil, []string{"github.com/gofiber", "pkg/webui", "pkg/account"}, "a worker serves nobody"},
		{[]string{"deployments/local"}, nil, []string{"github.com/aws/aws-sdk-go-v2", "gocv.io", "github.com/gofiber"}, "the first command on a new machine compiles the launcher: it must take seconds"},
	}
}

func TestProgramsCarryNoBurden(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	for _, b := range burdens() {
		for _, p := range packages {
			if !p.program() || (b.programs != nil && !withinAny(p.Path, b.programs)) || withinAny(p.Path, b.except) {
				continue
			}
			for _, carried := range p.Deps {
				if withinAny(carried, b.packages) {
					t.Errorf("the program %s contains %s: %s", p.Path, carried, b.why)
				}
			}
		}
	}
}
