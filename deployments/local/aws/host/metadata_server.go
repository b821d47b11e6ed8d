package host

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// MetadataPort is where each machine's address serves its metadata; on EC2 it is
// port 80 of 169.254.169.254, which needs rights that a developer has not.
const MetadataPort = 1338

const (
	tokenHeader   = "X-Aws-Ec2-Metadata-Token"
	ttlHeader     = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	longestTTL    = 21600 // seconds
	mostTokens    = 1000
	metadataLimit = 5 * time.Second // for a question to be read
)

// metadataServer answers one machine, by version 2 of the service and, where that is
// allowed, by version 1.
type metadataServer struct {
	server *http.Server
	url    string
	ended  chan struct{} // closed when it listens no more

	mu       sync.Mutex // guards the rest
	metadata Metadata
	tokens   map[string]time.Time // until when each is good
}

// serveMetadata listens before it returns.
func serveMetadata(m Metadata) (*metadataServer, error) {
	address := net.JoinHostPort(m.LocalIPv4, strconv.Itoa(MetadataPort))
	s := &metadataServer{url: "http://" + address, ended: make(chan struct{}), metadata: m, tokens: make(map[string]time.Time)}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", s.giveToken)
	mux.HandleFunc("GET /latest/", s.get)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: metadataLimit}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener) // ends at close
	}()
	return s, nil
}

// close returns when the address is free again.
func (s *metadataServer) close() {
	_ = s.server.Close()
	<-s.ended
}

func (s *metadataServer) update(m Metadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metadata = m
}

func (s *metadataServer) giveToken(w http.ResponseWriter, r *http.Request) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	switch {
	case r.Header.Get("X-Forwarded-For") != "": // a proxy that a stranger may stand behind
		http.Error(w, "403 - Forbidden", http.StatusForbidden)
		return
	case err != nil || ttl < 1 || ttl > longestTTL:
		http.Error(w, "400 - Bad Request", http.StatusBadRequest)
		return
	}
	token := rand.Text()
	s.mu.Lock()
	if len(s.tokens) >= mostTokens {
		clear(s.tokens)
	}
	s.tokens[token] = time.Now().Add(time.Duration(ttl) * time.Second)
	s.mu.Unlock()
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	_, _ = io.WriteString(w, token) // an error here is a client that left
}

func (s *metadataServer) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	metadata := s.metadata
	until, known := s.tokens[r.Header.Get(tokenHeader)]
	s.mu.Unlock()
	given := r.Header.Get(tokenHeader) != ""
	switch {
	case metadata.Disabled:
		http.Error(w, "403 - Forbidden", http.StatusForbidden)
		return
	case given && (!known || time.Now().After(until)), !given && metadata.TokensRequired:
		http.Error(w, "401 - Unauthorized", http.StatusUnauthorized)
		return
	}
	text, found := lookUp(metadata.tree(time.Now()), strings.TrimPrefix(r.URL.Path, "/latest/"))
	if !found {
		http.Error(w, "404 - Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, text) // see above
}

// lookUp gives the text at a path, or the names below it.
func lookUp(tree map[string]string, path string) (string, bool) {
	if text, found := tree[path]; found {
		return text, true
	}
	folder := strings.TrimSuffix(path, "/") + "/"
	if folder == "/" {
		folder = ""
	}
	var names []string
	for name := range tree {
		below, ok := strings.CutPrefix(name, folder)
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(below, "/")
		if deeper {
			first += "/"
		}
		if !slices.Contains(names, first) {
			names = append(names, first)
		}
	}
	slices.Sort(names)
	return strings.Join(names, "\n"), len(names) > 0
}

func jsonText(fields map[string]string) string {
	text, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		panic(err) // texts always can be
	}
	return string(text)
}
