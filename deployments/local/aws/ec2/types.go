package ec2

import (
	"runtime"
)

// instanceType is a share of this machine's CPU.
type instanceType struct {
	name   string
	cores  float64 // 0: all
	memory int     // MiB, as EC2 would say it; nothing holds an instance to it
}

func instanceTypes() []instanceType {
	return []instanceType{
		{"local.full", 0, 4096},
		{"local.one", 1, 2048},
		{"local.half", 0.5, 1024},
		{"local.quarter", 0.25, 1024},
		{"local.eighth", 0.125, 512},
	}
}

// vcpus are whole: a part of a core is one that is shared.
func (t instanceType) vcpus() int {
	if t.cores == 0 {
		return runtime.NumCPU()
	}
	return 1
}

func findType(name string) (instanceType, bool) {
	for _, t := range instanceTypes() {
		if t.name == name {
			return t, true
		}
	}
	return instanceType{}, false
}
