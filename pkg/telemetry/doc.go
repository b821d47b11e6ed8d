// Package telemetry gives a program its log, its metrics and its traces: a slog
// logger whose lines carry the trace and whose last lines can be asked for, a
// Prometheus registry of its own, a tracer whose ended spans are log lines at debug,
// and a private listener for /metrics and pprof.
//
// It must never hold anything global: a process may hold two of them, as tests do.
// Services, programs and pkg/httpserver may import it; the doors take the parts
// that they need.
package telemetry
