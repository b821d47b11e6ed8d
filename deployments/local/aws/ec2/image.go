package ec2

import (
	"context"
	"slices"
	"strings"

	"maskfleet/deployments/local/aws/host"
)

func (e *EC2) image(id string) (Image, error) {
	if !idPattern("ami").MatchString(id) {
		return Image{}, fail(invalidImageMalformed, "Invalid id: %q (expecting \"ami-...\")", id)
	}
	i := slices.IndexFunc(e.config.Images, func(image Image) bool { return image.ID == id })
	if i < 0 {
		return Image{}, fail(invalidImageNotFound, "The image id '[%s]' does not exist", id)
	}
	return e.config.Images[i], nil
}

type imagesRequest struct {
	IDs        []string `wire:"ImageId"`
	Owners     []string `wire:"Owner"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type imagesResponse struct {
	Images    []imageDescription `wire:"imagesSet"`
	NextToken string             `wire:"nextToken"`
}

type imageDescription struct {
	ID             string           `wire:"imageId"`
	Location       string           `wire:"imageLocation"`
	State          string           `wire:"imageState"`
	OwnerID        string           `wire:"imageOwnerId"`
	Public         bool             `wire:"isPublic"`
	Architecture   string           `wire:"architecture"`
	Type           string           `wire:"imageType"`
	Name           string           `wire:"name"`
	Description    string           `wire:"description"`
	RootDeviceType string           `wire:"rootDeviceType"`
	RootDeviceName string           `wire:"rootDeviceName"`
	Virtualization string           `wire:"virtualizationType"`
	Hypervisor     string           `wire:"hypervisor"`
	CreatedAt      string           `wire:"creationDate"`
	Tags           []tagDescription `wire:"tagSet"`
}

func (e *EC2) describeImages(_ context.Context, in imagesRequest) (imagesResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return imagesResponse{}, err
	}
	for _, id := range in.IDs {
		if _, err := e.image(id); err != nil {
			return imagesResponse{}, err
		}
	}
	ours := len(in.Owners) == 0 || slices.Contains(in.Owners, "self") || slices.Contains(in.Owners, e.config.AccountID)
	all := []imageDescription{}
	for _, i := range e.config.Images {
		if ours && (len(in.IDs) == 0 || slices.Contains(in.IDs, i.ID)) {
			all = append(all, e.describeImage(i))
		}
	}
	all, err := filtered(all, in.Filters, matchers[imageDescription]{
		"architecture": func(i imageDescription) []string { return []string{i.Architecture} },
		"image-id":     func(i imageDescription) []string { return []string{i.ID} },
		"name":         func(i imageDescription) []string { return []string{i.Name} },
		"owner-id":     func(i imageDescription) []string { return []string{i.OwnerID} },
		"state":        func(i imageDescription) []string { return []string{i.State} },
	})
	if err != nil {
		return imagesResponse{}, err
	}
	page, next, err := paged(all, in.MaxResults, in.NextToken)
	return imagesResponse{page, next}, err
}

func (e *EC2) describeImage(i Image) imageDescription {
	return imageDescription{
		i.ID, e.config.AccountID + "/" + i.Name, "available", e.config.AccountID, false, "x86_64", "machine", i.Name, i.Description,
		"ebs", "/dev/xvda", "hvm", "xen", i.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"),
		[]tagDescription{},
	}
}

// role is what an instance profile of that name, or with that ARN, gives.
func (e *EC2) role(p profileRequest) (host.Role, error) {
	for _, role := range e.config.Roles {
		if role.ProfileARN == p.ARN || p.ARN == "" && strings.HasSuffix(role.ProfileARN, "/"+p.Name) {
			return role, nil
		}
	}
	if p.ARN != "" {
		return host.Role{}, fail(invalidParameterValue, "Value (%s) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN", p.ARN)
	}
	return host.Role{}, fail(invalidParameterValue, "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", p.Name)
}

type typesRequest struct {
	Types      []string `wire:"InstanceType"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type typesResponse struct {
	Types     []typeDescription `wire:"instanceTypeSet"`
	NextToken string            `wire:"nextToken"`
}

type typeDescription struct {
	Name              string    `wire:"instanceType"`
	CurrentGeneration bool      `wire:"currentGeneration"`
	FreeTier          bool      `wire:"freeTierEligible"`
	UsageClasses      []string  `wire:"supportedUsageClasses"`
	BareMetal         bool      `wire:"bareMetal"`
	Hypervisor        string    `wire:"hypervisor"`
	Processor         processor `wire:"processorInfo"`
	VCPU              vcpuInfo  `wire:"vCpuInfo"`
	Memory            memory    `wire:"memoryInfo"`
	Burstable         bool      `wire:"burstablePerformanceSupported"`
}

type processor struct {
	Architectures []string `wire:"supportedArchitectures"`
}

type vcpuInfo struct {
	VCPUs          int `wire:"defaultVCpus"`
	Cores          int `wire:"defaultCores"`
	ThreadsPerCore int `wire:"defaultThreadsPerCore"`
}

type memory struct {
	MiB int `wire:"sizeInMiB"`
}

func (e *EC2) describeTypes(_ context.Context, in typesRequest) (typesResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return typesResponse{}, err
	}
	for _, name := range in.Types {
		if _, known := findType(name); !known {
			return typesResponse{}, fail(invalidInstanceType, "The following supplied instance types do not exist: [%s]", name)
		}
	}
	all := []typeDescription{}
	for _, t := range instanceTypes() {
		if len(in.Types) == 0 || slices.Contains(in.Types, t.name) {
			all = append(all, describeType(t))
		}
	}
	all, err := filtered(all, in.Filters, matchers[typeDescription]{
		"instance-type":      func(t typeDescription) []string { return []string{t.Name} },
		"current-generation": func(typeDescription) []string { return []string{"true"} },
	})
	if err != nil {
		return typesResponse{}, err
	}
	page, next, err := paged(all, in.MaxResults, in.NextToken)
	return typesResponse{page, next}, err
}

func describeType(t instanceType) typeDescription {
	return typeDescription{
		t.name, true, false,
		[]string{"on-demand", "spot"},
		false, "xen",
		processor{[]string{"x86_64"}},
		vcpuInfo{t.vcpus(), t.vcpus(), 1},
		memory{t.memory},
		t.cores > 0 && t.cores < 1,
	}
}
