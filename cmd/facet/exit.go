package main

import (
	"errors"
	"fmt"

	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/operator"
)

// The statuses that the program exits with.
const (
	exitOK      = 0
	exitFailed  = 1 // it could not do what it was asked to
	exitRefused = 2 // what it was asked makes no sense: the command line or the configuration
)

// failure is an error of the program's work. Any other error is one of what the
// program was told: that is all that cobra's own errors are about.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed makes a failure of an error, and nil of nil.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}

// refused is an error of a configuration, in a program that was told well.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

func statusOf(err error) int {
	var f failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return exitFailed
	}
	return exitRefused
}

// explain is what people read of an error. Those of a configuration file begin
// with file and line, where editors look for them.
func explain(err error, command string) string {
	var file config.Errors
	if errors.As(err, &file) {
		return file.Error()
	}
	var tokens operator.Errors
	if errors.As(err, &tokens) {
		return tokens.Error()
	}
	var f failure
	var r refused
	if errors.As(err, &f) || errors.As(err, &r) {
		return "facet: " + err.Error()
	}
	return fmt.Sprintf("facet: %v\nRun '%s --help' to see what there is.", err, command)
}
