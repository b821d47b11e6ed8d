package stack

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// addresses are all decided before the first part starts, because parts are told
// of others that start after them.
type addresses struct {
	web, manager, nats, s3 string // those a person types
	mysql, redis, outside  string
	smtp                   string // where mail is caught
	natsMonitor            string // which tells of the broker's disk
	aws, awsControl        string // the stand-in's API, and where faults are asked of it
	instances              []instanceAddresses
	managerPrivate         string
	scalerPrivate          string
}

type instanceAddresses struct {
	ingest, ingestPrivate, workerPrivate string
}

func pickAddresses(o Options, ports *portPicker) (addresses, error) {
	var at addresses
	for _, wanted := range []struct {
		address *string
		port    int
	}{
		{&at.web, o.Ports.Web},
		{&at.manager, o.Ports.Manager},
		{&at.nats, o.Ports.NATS},
		{&at.s3, o.Ports.S3},
		{&at.aws, o.Ports.AWS},
		{&at.awsControl, 0},
		{&at.mysql, 0},
		{&at.redis, 0},
		{&at.outside, 0},
		{&at.smtp, 0},
		{&at.natsMonitor, 0},
		{&at.managerPrivate, 0},
		{&at.scalerPrivate, 0},
	} {
		port, err := ports.prefer(wanted.port)
		if err != nil {
			return addresses{}, err
		}
		*wanted.address = loopback(port)
	}
	for range o.Instances {
		var instance instanceAddresses
		for _, address := range []*string{&instance.ingest, &instance.ingestPrivate, &instance.workerPrivate} {
			port, err := ports.free()
			if err != nil {
				return addresses{}, err
			}
			*address = loopback(port)
		}
		at.instances = append(at.instances, instance)
	}
	return at, nil
}

// port is the last part of an address that was made by loopback.
func port(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return port
}

// systemProgram finds a Debian program also where an ordinary user's PATH does
// not look.
func systemProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, name)
		if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
