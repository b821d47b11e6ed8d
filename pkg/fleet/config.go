package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mostUserData is EC2's limit in bytes.
const mostUserData = 16 << 10

// Config says where AWS is and what an instance of ours is.
type Config struct {
	Region string `env:"AWS_REGION" envDefault:"eu-central-1"`
	// The endpoints are URLs; empty: AWS's own of the region.
	EC2Endpoint        string `env:"EC2_ENDPOINT"`
	BalancerEndpoint   string `env:"ELB_ENDPOINT"`
	CloudWatchEndpoint string `env:"CLOUDWATCH_ENDPOINT"`
	// AccessKey and SecretKey are empty where the machine has a role of its own.
	AccessKey string `env:"AWS_ACCESS_KEY_ID"`
	SecretKey string `env:"AWS_SECRET_ACCESS_KEY" secret:"true"`

	// Pool is the value of the tag that makes an instance ours. Two installations in
	// one account need two.
	Pool string `env:"FLEET_POOL" envDefault:"maskfleet"`
	// Template is the id of a launch template; what is set beside it overrides it.
	// Without one, Image must be set.
	Template        string `env:"FLEET_LAUNCH_TEMPLATE"`
	TemplateVersion string `env:"FLEET_LAUNCH_TEMPLATE_VERSION" envDefault:"$Default"`
	Image           string `env:"FLEET_IMAGE"`
	// Types are instance types, the cheapest first.
	Types []string `env:"FLEET_TYPES"`
	// Zones are availability zones, each with the subnet of instances in it
	// ("eu-central-1a=subnet-0123"), or without one for the zone's default subnet.
	Zones          []string `env:"FLEET_ZONES"`
	SecurityGroups []string `env:"FLEET_SECURITY_GROUPS"`
	KeyPair        string   `env:"FLEET_KEY_PAIR"`
	Profile        string   `env:"FLEET_INSTANCE_PROFILE"` // its name
	// UserData is what an instance is told at its first boot. Everybody who may look
	// at the instance can read it: no secrets.
	UserData string `env:"FLEET_USER_DATA"`
	// Version is that of the image and its settings: a stopped instance of another one
	// is not started again. Empty: image or template version.
	Version string `env:"FLEET_VERSION"`
	// TargetGroup is the ARN of where instances serve HTTP; empty: they serve nobody.
	TargetGroup string `env:"FLEET_TARGET_GROUP"`
	// Namespace is where CloudWatch keeps our own metrics.
	Namespace string `env:"FLEET_METRICS_NAMESPACE" envDefault:"Maskfleet"`

	// CallTimeout bounds one call to AWS with its retries. It must be shorter than the
	// lease under which instances are changed.
	CallTimeout time.Duration `env:"FLEET_CALL_TIMEOUT" envDefault:"7s"`
	// BootDeadline is how long an instance may take to its first sign of life.
	BootDeadline time.Duration `env:"FLEET_BOOT_DEADLINE" envDefault:"150s"`
	// Silence is how long an instance that lived may give none: four signs of a worker.
	Silence time.Duration `env:"FLEET_SILENCE" envDefault:"8s"`
	// Settling is how long an answer of EC2 may contradict what it has just done.
	Settling time.Duration `env:"FLEET_SETTLING" envDefault:"2m"`
	// EmptyBelieved is how long lists must have been empty to be believed.
	EmptyBelieved time.Duration `env:"FLEET_EMPTY_BELIEVED" envDefault:"5m"`
	// Penalty is how long a type is not asked for in a zone that has none left, and
	// how long nothing is asked for at a limit of the account.
	Penalty time.Duration `env:"FLEET_PENALTY" envDefault:"3m"`
	// BreakerPause is how long nothing is launched after three failed boots in a row.
	BreakerPause time.Duration `env:"FLEET_BREAKER_PAUSE" envDefault:"10m"`
	// ReadRate and ChangeRate are calls to AWS a second.
	ReadRate   float64 `env:"FLEET_READ_RATE" envDefault:"5"`
	ChangeRate float64 `env:"FLEET_CHANGE_RATE" envDefault:"2"`
}

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	var errs []error
	wrong := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New(text))
		}
	}
	for name, value := range map[string]string{
		"EC2_ENDPOINT": c.EC2Endpoint, "ELB_ENDPOINT": c.BalancerEndpoint, "CLOUDWATCH_ENDPOINT": c.CloudWatchEndpoint,
	} {
		u, err := url.Parse(value)
		wrong(value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"), name+" must be a URL of http or https")
	}
	wrong(c.Region == "", "AWS_REGION must not be empty")
	wrong((c.AccessKey == "") != (c.SecretKey == ""), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together")
	wrong(!regexp.MustCompile(`^[a-z0-9-]{1,24}$`).MatchString(c.Pool), "FLEET_POOL must be 1 to 24 of a-z, 0-9 and -")
	wrong(c.Template == "" && c.Image == "", "FLEET_LAUNCH_TEMPLATE or FLEET_IMAGE must be set")
	wrong(len(c.Types) == 0, "FLEET_TYPES must name one type at least")
	wrong(len(c.Zones) == 0, "FLEET_ZONES must name one zone at least")
	wrong(slices.Contains(c.Types, ""), "FLEET_TYPES has an empty entry")
	wrong(slices.ContainsFunc(c.Zones, func(z string) bool { name, _, _ := strings.Cut(z, "="); return name == "" }), "FLEET_ZONES has an entry without a zone")
	wrong(len(c.UserData) > mostUserData, fmt.Sprintf("FLEET_USER_DATA has %d bytes, EC2 takes %d", len(c.UserData), mostUserData))
	wrong(holdsSecret(c.UserData), "FLEET_USER_DATA seems to hold a password, a key or a token, which others can read there")
	wrong(c.ReadRate <= 0 || c.ChangeRate <= 0, "FLEET_READ_RATE and FLEET_CHANGE_RATE must be above 0")
	for name, d := range map[string]time.Duration{
		"FLEET_CALL_TIMEOUT": c.CallTimeout, "FLEET_BOOT_DEADLINE": c.BootDeadline, "FLEET_SILENCE": c.Silence, "FLEET_SETTLING": c.Settling,
		"FLEET_EMPTY_BELIEVED": c.EmptyBelieved, "FLEET_PENALTY": c.Penalty, "FLEET_BREAKER_PAUSE": c.BreakerPause,
	} {
		wrong(d <= 0, name+" must be above 0")
	}
	return errors.Join(errs...)
}

// holdsSecret looks for lines that set something of a telling name to a value.
func holdsSecret(userData string) bool {
	return regexp.MustCompile(`(?im)^[^#\n]*(password|passwd|secret|token|private_?key|access_?key)\w*\s*[=:]\s*\S`).MatchString(userData)
}

// version is the tag of what an instance was made from.
func (c Config) version() string {
	if c.Template == "" {
		return cmp.Or(c.Version, c.Image)
	}
	return cmp.Or(c.Version, c.Image, c.Template+":"+c.TemplateVersion)
}
