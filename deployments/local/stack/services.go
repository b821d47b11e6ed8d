package stack

import (
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// serviceEnv is what every program of the product is told: where the stores are, and
// who it is to the broker.
func (s *Stack) serviceEnv(natsUser, private string) map[string]string {
	return map[string]string{
		"LOG_LEVEL":      "info",
		"LOG_FORMAT":     "json",
		"PRIVATE_LISTEN": private,
		"MYSQL_ADDRESS":  s.at.mysql,
		"MYSQL_USER":     mysqlUser,
		"MYSQL_PASSWORD": s.secrets.MySQLPassword,
		"MYSQL_DATABASE": mysqlDatabase,
		"REDIS_ADDRESS":  s.at.redis,
		"REDIS_PASSWORD": s.secrets.RedisPassword,
		"NATS_URL":       "nats://" + s.at.nats,
		"NATS_USER":      natsUser,
		"NATS_PASSWORD":  s.secrets.NATSPasswords[natsUser],
		"S3_ENDPOINT":    "http://" + s.at.s3,
		"S3_REGION":      s3Region,
		"S3_BUCKET":      s3Bucket,
		"S3_ACCESS_KEY":  s.secrets.S3AccessKey,
		"S3_SECRET_KEY":  s.secrets.S3SecretKey,
		"S3_PATH_STYLE":  "true",
	}
}

// service is a program of the product, with its own settings on top.
func (s *Stack) service(program, natsUser, address, private string, settings map[string]string) spec {
	env := s.serviceEnv(natsUser, private)
	maps.Copy(env, settings)
	return spec{
		program: s.binary(program), env: env, address: address, private: private,
		readyLimit: time.Minute,
		stopSignal: syscall.SIGTERM, stopLimit: 15 * time.Second,
	}
}

func (s *Stack) manager() spec {
	manager := s.service("manager", "manager", s.at.manager, s.at.managerPrivate, map[string]string{
		"LISTEN": s.at.manager, "ENTRY_URL": s.publicURL(), "NATS_MONITOR_URL": "http://" + s.at.natsMonitor,
	})
	manager.ready = httpReady("http://" + s.at.manager + "/readyz")
	return manager
}

// outside serves the sample photos, as a site elsewhere would; links to it are
// the only private ones that the product may fetch. It also catches mail, and the
// webhooks that are posted to its /hooks.
func (s *Stack) outside() (spec, error) {
	photos := filepath.Join(s.options.Cache, "samples")
	if err := os.MkdirAll(photos, 0o700); err != nil {
		return spec{}, err
	}
	return spec{
		program: s.binary("outside"), args: []string{"-address", s.at.outside, "-smtp", s.at.smtp, "-dir", photos},
		address: s.at.outside,
		ready:   connects(s.at.outside), readyLimit: 10 * time.Second,
		stopSignal: syscall.SIGTERM, stopLimit: 5 * time.Second,
	}, nil
}

// publicURL is what a browser is told: the balancer's, or the only door's.
func (s *Stack) publicURL() string {
	if !s.options.wants("haproxy") && len(s.at.instances) > 0 {
		return "http://" + s.at.instances[0].ingest
	}
	return "http://" + s.at.web
}
