// Package config fills the Config structs of the services from environment
// variables and describes them with secrets masked.
//
// It must never read the environment itself: a program's main hands it over, so
// that only programs depend on their surroundings. Programs may import it.
package config
