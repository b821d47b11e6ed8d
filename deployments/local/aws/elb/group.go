package elb

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// targetGroup is a set of instances that take the same requests.
type targetGroup struct {
	ARN, Name  string
	Port       int
	VPCID      string
	Check      checkSettings
	Attributes map[string]string
	Tags       map[string]string
	Targets    map[string]*target // by name
}

// checkSettings are as they were asked for, in seconds of AWS.
type checkSettings struct {
	Path     string
	Port     string // "traffic-port" or a number
	Interval int
	Timeout  int
	Rise     int
	Fall     int
}

const (
	delayAttribute = "deregistration_delay.timeout_seconds"
	trafficPort    = "traffic-port"
)

// defaultAttributes are those of an application load balancer's target group, with their
// defaults. Only the delay can be changed here.
func defaultAttributes() map[string]string {
	return map[string]string{
		delayAttribute:                           "300",
		"load_balancing.algorithm.type":          "round_robin",
		"load_balancing.cross_zone.enabled":      "use_load_balancer_configuration",
		"slow_start.duration_seconds":            "0",
		"stickiness.enabled":                     "false",
		"stickiness.type":                        "lb_cookie",
		"stickiness.lb_cookie.duration_seconds":  "86400",
		"stickiness.app_cookie.duration_seconds": "86400",
		"stickiness.app_cookie.cookie_name":      "",
	}
}

func (g *targetGroup) delay() time.Duration {
	seconds, _ := strconv.Atoi(g.Attributes[delayAttribute]) // checked when it was set
	return time.Duration(seconds) * time.Second
}

type checkRequest struct {
	Protocol string `wire:"HealthCheckProtocol"`
	Port     string `wire:"HealthCheckPort"`
	Path     string `wire:"HealthCheckPath"`
	Enabled  *bool  `wire:"HealthCheckEnabled"`
	Interval int    `wire:"HealthCheckIntervalSeconds"`
	Timeout  int    `wire:"HealthCheckTimeoutSeconds"`
	Rise     int    `wire:"HealthyThresholdCount"`
	Fall     int    `wire:"UnhealthyThresholdCount"`
	Matcher  *matcher
}

type matcher struct {
	HTTPCode string `wire:"HttpCode"`
}

// over takes what was asked for, and the rest from the settings of before.
func (r checkRequest) over(s checkSettings) (checkSettings, error) {
	switch {
	case r.Protocol != "" && r.Protocol != "HTTP":
		return s, fail(invalidConfiguration, "Health check protocol %s is not supported here; HTTP is", r.Protocol)
	case r.Enabled != nil && !*r.Enabled:
		return s, fail(invalidConfiguration, "Health check enabled must be true for target groups with target type 'instance'")
	case r.Matcher != nil && r.Matcher.HTTPCode != "200":
		return s, fail(invalidConfiguration, "The stand-in's checks expect 200, not %s", r.Matcher.HTTPCode)
	}
	for _, text := range []struct {
		to    *string
		asked string
	}{{&s.Path, r.Path}, {&s.Port, r.Port}} {
		if text.asked != "" {
			*text.to = text.asked
		}
	}
	for _, number := range []struct {
		to    *int
		asked int
	}{{&s.Interval, r.Interval}, {&s.Timeout, r.Timeout}, {&s.Rise, r.Rise}, {&s.Fall, r.Fall}} {
		if number.asked != 0 {
			*number.to = number.asked
		}
	}
	return s, s.check()
}

func (s checkSettings) check() error {
	const longestPath = 1024
	port, err := strconv.Atoi(s.Port)
	switch {
	case !regexp.MustCompile(`^/[A-Za-z0-9._~/?=&%-]*$`).MatchString(s.Path) || len(s.Path) > longestPath:
		return fail(validationError, "Health check path '%s' must begin with a '/' character", s.Path)
	case s.Port != trafficPort && (err != nil || port < 1 || port > 65535):
		return fail(validationError, "Health check port '%s' must be 'traffic-port' or in the range of 1 - 65535", s.Port)
	case s.Interval < 5 || s.Interval > 300:
		return fail(validationError, "Health check interval '%d' must be between 5 and 300 seconds", s.Interval)
	case s.Timeout < 2 || s.Timeout > 120 || s.Timeout >= s.Interval:
		return fail(validationError, "Health check timeout '%d' must be between 2 and 120 seconds and smaller than the interval", s.Timeout)
	case s.Rise < 2 || s.Rise > 10 || s.Fall < 2 || s.Fall > 10:
		return fail(validationError, "Health check thresholds must be between 2 and 10")
	}
	return nil
}

type createGroupRequest struct {
	Name            string
	Protocol        string
	ProtocolVersion string
	Port            int
	VPCID           string `wire:"VpcId"`
	TargetType      string
	Tags            []tag
	checkRequest
}

type groupsResponse struct {
	TargetGroups []groupDescription
}

func (e *ELB) createTargetGroup(_ context.Context, in createGroupRequest) (groupsResponse, error) {
	if err := in.check(); err != nil {
		return groupsResponse{}, err
	}
	check, err := in.over(checkSettings{Path: "/", Port: trafficPort, Interval: 30, Timeout: 5, Rise: 5, Fall: 2})
	if err != nil {
		return groupsResponse{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.kept.TargetGroups {
		if g.Name != in.Name {
			continue
		}
		if g.Port != in.Port || g.VPCID != in.VPCID || g.Check != check {
			return groupsResponse{}, fail(duplicateTargetGroup, "A target group with the same name '%s' exists, but with different settings", in.Name)
		}
		return groupsResponse{TargetGroups: []groupDescription{e.describeGroup(g)}}, nil
	}
	g := &targetGroup{
		ARN: e.arn("targetgroup/" + in.Name + "/" + newSuffix()), Name: in.Name, Port: in.Port, VPCID: in.VPCID,
		Check: check, Attributes: defaultAttributes(), Tags: tagMap(in.Tags), Targets: make(map[string]*target),
	}
	e.kept.TargetGroups[g.ARN] = g
	return groupsResponse{TargetGroups: []groupDescription{e.describeGroup(g)}}, e.save()
}

func (r createGroupRequest) check() error {
	switch {
	case !validName(r.Name):
		return fail(validationError, "Target group name '%s' must have at most 32 letters, digits and hyphens and not begin or end with a hyphen", r.Name)
	case r.TargetType != "" && r.TargetType != "instance":
		return fail(invalidConfiguration, "The stand-in's target groups hold instances, not targets of type '%s'", r.TargetType)
	case r.Protocol != "HTTP":
		return fail(invalidConfiguration, "The stand-in's target groups speak HTTP, not '%s'", r.Protocol)
	case r.ProtocolVersion != "" && r.ProtocolVersion != "HTTP1":
		return fail(invalidConfiguration, "The stand-in's target groups speak HTTP1, not '%s'", r.ProtocolVersion)
	case r.Port < 1 || r.Port > 65535:
		return fail(validationError, "Port '%d' must be in the range of 1 - 65535", r.Port)
	case r.VPCID == "":
		return fail(validationError, "A VPC ID must be specified")
	}
	return nil
}

func validName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`).MatchString(name)
}

type groupDescription struct {
	ARN              string `wire:"TargetGroupArn"`
	Name             string `wire:"TargetGroupName"`
	Protocol         string
	Port             int
	VPCID            string `wire:"VpcId"`
	CheckProtocol    string `wire:"HealthCheckProtocol"`
	CheckPort        string `wire:"HealthCheckPort"`
	CheckEnabled     bool   `wire:"HealthCheckEnabled"`
	CheckInterval    int    `wire:"HealthCheckIntervalSeconds"`
	CheckTimeout     int    `wire:"HealthCheckTimeoutSeconds"`
	Rise             int    `wire:"HealthyThresholdCount"`
	Fall             int    `wire:"UnhealthyThresholdCount"`
	CheckPath        string `wire:"HealthCheckPath"`
	Matcher          matcher
	LoadBalancerARNs []string `wire:"LoadBalancerArns"`
	TargetType       string
	ProtocolVersion  string
	IPAddressType    string `wire:"IpAddressType"`
}

func (e *ELB) describeGroup(g *targetGroup) groupDescription {
	return groupDescription{
		g.ARN, g.Name, "HTTP", g.Port, g.VPCID, "HTTP", g.Check.Port, true, g.Check.Interval, g.Check.Timeout,
		g.Check.Rise, g.Check.Fall, g.Check.Path,
		matcher{"200"},
		e.loadBalancersOf(g.ARN), "instance", "HTTP1", "ipv4",
	}
}

// group is called with mu held.
func (e *ELB) group(arn string) (*targetGroup, error) {
	if g := e.kept.TargetGroups[arn]; g != nil {
		return g, nil
	}
	return nil, fail(targetGroupNotFound, "Target groups '%s' not found", arn)
}

type modifyGroupRequest struct {
	ARN string `wire:"TargetGroupArn"`
	checkRequest
}

func (e *ELB) modifyTargetGroup(_ context.Context, in modifyGroupRequest) (groupsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return groupsResponse{}, err
	}
	check, err := in.over(g.Check)
	if err != nil {
		return groupsResponse{}, err
	}
	if check != g.Check {
		g.Check = check
		for _, t := range g.Targets { // HAProxy takes new settings with a new server only
			t.Stale = true
		}
	}
	return groupsResponse{TargetGroups: []groupDescription{e.describeGroup(g)}}, e.save()
}

type groupRequest struct {
	ARN string `wire:"TargetGroupArn"`
}

// nothing is the answer where there is nothing to say.
type nothing struct{}

func (e *ELB) deleteTargetGroup(_ context.Context, in groupRequest) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept.TargetGroups[in.ARN] == nil {
		return nothing{}, nil // as on AWS: what is not there need not be deleted
	}
	if len(e.loadBalancersOf(in.ARN)) > 0 {
		return nothing{}, fail(resourceInUse, "Target group '%s' is currently in use by a listener or a rule", in.ARN)
	}
	delete(e.kept.TargetGroups, in.ARN)
	return nothing{}, e.save()
}

// LoseTargetGroup deletes one by its name as somebody else might, with the listeners
// that send to it.
func (e *ELB) LoseTargetGroup(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for arn, g := range e.kept.TargetGroups {
		if g.Name == name {
			delete(e.kept.TargetGroups, arn)
			maps.DeleteFunc(e.kept.Listeners, func(_ string, l *listener) bool { return l.TargetGroup == arn })
			return e.save()
		}
	}
	return fail(targetGroupNotFound, "One or more target groups not found")
}

type describeGroupsRequest struct {
	LoadBalancerARN string   `wire:"LoadBalancerArn"`
	ARNs            []string `wire:"TargetGroupArns"`
	Names           []string
	pageRequest
}

type describeGroupsResponse struct {
	TargetGroups []groupDescription
	NextMarker   string
}

func (e *ELB) describeTargetGroups(_ context.Context, in describeGroupsRequest) (describeGroupsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, arn := range in.ARNs {
		if _, err := e.group(arn); err != nil {
			return describeGroupsResponse{}, err
		}
	}
	all := []groupDescription{}
	for _, g := range e.kept.TargetGroups {
		d := e.describeGroup(g)
		switch {
		case len(in.ARNs) > 0 && !slices.Contains(in.ARNs, g.ARN),
			len(in.Names) > 0 && !slices.Contains(in.Names, g.Name),
			in.LoadBalancerARN != "" && !slices.Contains(d.LoadBalancerARNs, in.LoadBalancerARN):
		default:
			all = append(all, d)
		}
	}
	if len(all) < len(in.Names) {
		return describeGroupsResponse{}, fail(targetGroupNotFound, "One or more target groups not found")
	}
	page, next, err := paged(all, in.pageRequest, func(d groupDescription) string { return d.Name })
	return describeGroupsResponse{page, next}, err
}

type attribute struct {
	Key, Value string
}

type attributesRequest struct {
	ARN        string `wire:"TargetGroupArn"`
	Attributes []attribute
}

type attributesResponse struct {
	Attributes []attribute
}

func (g *targetGroup) describeAttributes() attributesResponse {
	out := attributesResponse{}
	for _, key := range slices.Sorted(maps.Keys(g.Attributes)) {
		out.Attributes = append(out.Attributes, attribute{key, g.Attributes[key]})
	}
	return out
}

func (e *ELB) describeAttributes(_ context.Context, in groupRequest) (attributesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return attributesResponse{}, err
	}
	return g.describeAttributes(), nil
}

func (e *ELB) modifyAttributes(_ context.Context, in attributesRequest) (attributesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return attributesResponse{}, err
	}
	for _, a := range in.Attributes {
		if err := checkAttribute(a, g.Attributes); err != nil {
			return attributesResponse{}, err
		}
	}
	for _, a := range in.Attributes {
		g.Attributes[a.Key] = a.Value
	}
	return g.describeAttributes(), e.save()
}

func checkAttribute(a attribute, now map[string]string) error {
	value, known := now[a.Key]
	switch {
	case !known:
		return fail(validationError, "Target group attribute key '%s' is not recognized", a.Key)
	case a.Key != delayAttribute && a.Value != value:
		return fail(invalidConfiguration, "The stand-in's balancer cannot change '%s'", a.Key)
	case a.Key == delayAttribute:
		const longest = 3600
		if seconds, err := strconv.Atoi(a.Value); err != nil || seconds < 0 || seconds > longest {
			return fail(validationError, "Target group attribute '%s' must be between 0 and %d", a.Key, longest)
		}
	}
	return nil
}
