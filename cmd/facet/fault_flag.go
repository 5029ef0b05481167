//go:build !production

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/fault"
)

const faultHelp = `A fault is a list of fields with commas between them: latency=50ms, spread=20ms,
capacity=4, queue=8, error=0.3 (a share of the answers), status=503, and one of
hang, drip=10ms, reset, truncated, garbage, wrongtype, deep, oversize, huge, bomb;
or down, alone.`

// faultFlag is the flag --fault SERVICE=FAULT, which can be given many times.
type faultFlag map[string]simulator.Fault

// Set reads one of them; a later one for the same service replaces it.
func (f faultFlag) Set(text string) error {
	service, spec, _ := strings.Cut(text, "=")
	if service == "" || spec == "" {
		return errors.New("must be of the form SERVICE=FAULT, such as reviews=hang")
	}
	parsed, err := simulator.ParseFault(spec)
	if err != nil {
		return told(err)
	}
	f[service] = parsed
	return nil
}

// String is empty: there is no default to show.
func (f faultFlag) String() string { return "" }

// Type is what the help calls the value.
func (f faultFlag) Type() string { return "SERVICE=FAULT" }

// told is what people need of the simulator's errors: which field, and why.
func told(err error) error {
	var e *fault.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s", e.Field, e.Detail)
	}
	return err
}
