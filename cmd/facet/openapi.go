package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/devices"
)

// description is the command line of openapi.
type description struct{ device, version, file string }

func newOpenAPI() *cobra.Command {
	var d description
	cmd := &cobra.Command{
		Use:   "openapi --device CLASS",
		Short: "Print what a device's pages are, as OpenAPI 3.1",
		Long: `Print what a device's pages are, as an OpenAPI 3.1 document in JSON: the query of
each, and every field that an answer may have. It is made of the adapter's own
types, and is the same text each time, so that it can be kept and compared.

Without --version it is of the version that answers the device: the one that the
configuration names, or the first of this build. The private port has the same
documents at /openapi/CLASS.json and /openapi/CLASS/VERSION.json.`,
		Example: `  facet openapi --device phone
  facet openapi --device phone --version v2 > phone.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&d.device, "device", "", "the `CLASS` of the device, such as phone (required)")
	cmd.Flags().StringVar(&d.version, "version", "", "the `VERSION` of its adapter, such as v1")
	cmd.Flags().StringVarP(&d.file, "config", "c", "", "the configuration `FILE`, for the version that it names and its device header")
	if err := cmd.MarkFlagRequired("device"); err != nil {
		panic(err) // there is no such flag: a defect of this function
	}
	return cmd
}

func (d description) run(stdout io.Writer) error {
	b, err := newBuild()
	if err != nil {
		return failed(err)
	}
	answering, o, err := d.configured(b)
	if err != nil {
		return err
	}
	v, err := d.find(b.versions, answering)
	if err != nil {
		return err
	}
	document, err := openapi.New(v, o)
	if err != nil {
		return failed(err)
	}
	_, err = stdout.Write(document.JSON())
	return failed(err)
}

// configured returns which version answers each class, and what documents tell
// beside its types: as the file has it, or as it is without one.
func (d description) configured(b *build) (map[devices.Class]string, openapi.Options, error) {
	answering := make(map[devices.Class]string)
	for class, names := range b.versions.Names() {
		answering[class] = names[0]
	}
	var of devices.Options
	if d.file != "" {
		c, err := load(d.file, b)
		if err != nil {
			return nil, openapi.Options{}, err
		}
		answering, of = c.Adapters, c.Devices
	}
	resolver, err := devices.NewResolver(of)
	if err != nil {
		return nil, openapi.Options{}, refused{fmt.Errorf("devices: %w", err)}
	}
	return answering, openapi.Options{Header: resolver.Header()}, nil
}

// find returns the version that is asked for, or says which there are.
func (d description) find(set *adapter.Set, answering map[devices.Class]string) (*adapter.Version, error) {
	class := devices.Class(d.device)
	known := set.Names()
	if known[class] == nil {
		classes := slices.Sorted(maps.Keys(known))
		return nil, fmt.Errorf("device: no adapter is for %q; there are %s", d.device, listed(classes))
	}
	name := d.version
	if name == "" {
		name = answering[class]
	}
	v := set.Find(class, name)
	if v == nil {
		return nil, fmt.Errorf("version: %s has no %q; there are %s", class, name, listed(known[class]))
	}
	return v, nil
}

func listed[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = string(name)
	}
	return strings.Join(words, ", ")
}

// describeAll returns the documents of all versions by class and name, and by
// class alone those of the versions that answer.
func describeAll(set *adapter.Set, answering map[devices.Class]string, o openapi.Options) (map[string][]byte, error) {
	all := make(map[string][]byte)
	for _, v := range set.All() {
		document, err := openapi.New(v, o)
		if err != nil {
			return nil, err
		}
		text := document.JSON()
		all[v.String()+".json"] = text
		if answering[v.Class] == v.Name {
			all[string(v.Class)+".json"] = text
		}
	}
	return all, nil
}
