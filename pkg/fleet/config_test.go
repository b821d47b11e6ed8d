package fleet

import (
	"strings"
	"testing"

	"maskfleet/pkg/config"
)

func TestConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := []string{"FLEET_IMAGE=ami-1", "FLEET_TYPES=c7i.large,c7a.large", "FLEET_ZONES=eu-central-1a=subnet-1,eu-central-1b"}
	if _, err := config.Load[Config](good); err != nil {
		t.Fatalf("good settings: %v", err)
	}
	for _, test := range []struct{ set, want string }{
		{"FLEET_IMAGE=", "FLEET_LAUNCH_TEMPLATE or FLEET_IMAGE"},
		{"FLEET_TYPES=", "FLEET_TYPES"},
		{"FLEET_TYPES=a,,b", "FLEET_TYPES has an empty entry"},
		{"FLEET_ZONES=", "FLEET_ZONES"},
		{"FLEET_ZONES==subnet-1", "FLEET_ZONES has an entry without a zone"},
		{"FLEET_POOL=Maskfleet of the whole company", "FLEET_POOL"},
		{"FLEET_USER_DATA=" + strings.Repeat("x", mostUserData+1), "has 16385 bytes"},
		{"FLEET_USER_DATA=A=1\nMYSQL_PASSWORD=geheim", "seems to hold a password"},
		{"FLEET_USER_DATA=#cloud-config\nsecret_key: geheim", "seems to hold a password"},
		{"EC2_ENDPOINT=127.0.0.1:4566", "EC2_ENDPOINT must be a URL"},
		{"AWS_ACCESS_KEY_ID=AKIA", "go together"},
		{"FLEET_CHANGE_RATE=0", "FLEET_CHANGE_RATE"},
		{"FLEET_SILENCE=-1s", "FLEET_SILENCE"},
	} {
		_, err := config.Load[Config](append(good, test.set))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q: %v, want %q", test.set, err, test.want)
		}
	}
	for _, harmless := range []string{"NATS_URL=nats://10.0.0.1", "# the password comes from the instance profile", strings.Repeat("x", mostUserData)} {
		if _, err := config.Load[Config](append(good, "FLEET_USER_DATA="+harmless)); err != nil {
			t.Errorf("%.40q: %v", harmless, err)
		}
	}
}
