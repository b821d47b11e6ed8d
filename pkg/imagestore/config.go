package imagestore

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
)

// Config says where S3 is.
type Config struct {
	// Endpoint is the URL of the S3 service; empty: AWS's own of the region.
	Endpoint string `env:"S3_ENDPOINT"`
	// PublicEndpoint is the URL under which browsers reach it, for signed links;
	// empty: Endpoint.
	PublicEndpoint string `env:"S3_PUBLIC_ENDPOINT"`
	Bucket         string `env:"S3_BUCKET" envDefault:"maskfleet"`
	Region         string `env:"S3_REGION" envDefault:"eu-central-1"`
	// AccessKey and SecretKey are empty where the machine has a role of its own.
	AccessKey string `env:"S3_ACCESS_KEY"`
	SecretKey string `env:"S3_SECRET_KEY" secret:"true"`
	// PathStyle puts the bucket into the path instead of the host name, which an
	// S3 without DNS of its own needs.
	PathStyle bool `env:"S3_PATH_STYLE"`
}

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	errs := []error{validEndpoint("S3_ENDPOINT", c.Endpoint), validEndpoint("S3_PUBLIC_ENDPOINT", c.PublicEndpoint)}
	if c.Bucket == "" {
		errs = append(errs, errors.New("S3_BUCKET must not be empty"))
	}
	if c.Region == "" {
		errs = append(errs, errors.New("S3_REGION must not be empty"))
	}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		errs = append(errs, errors.New("S3_ACCESS_KEY and S3_SECRET_KEY go together"))
	}
	return errors.Join(errs...)
}

// LinkOrigin is the origin that signed links lead to, for a page's policy.
func (c Config) LinkOrigin() (string, error) {
	u, err := url.Parse(cmp.Or(c.PublicEndpoint, c.Endpoint))
	if err != nil {
		return "", fmt.Errorf("reading the address of signed links: %w", err)
	}
	if u.Scheme == "" || u.Host == "" {
		return "https:", nil // AWS's own addresses
	}
	return u.Scheme + "://" + u.Host, nil
}

func validEndpoint(name, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil {
		return fmt.Errorf("%s must be a URL: %w", name, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s must be a URL of http or https", name)
	}
	return nil
}
