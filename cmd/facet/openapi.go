package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

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
configuration names, or the first of this build. A configuration may also add
classes that are like another one. The private port has the same documents at /openapi/CLASS.json and /openapi/CLASS/VERSION.json.`,
		Example: `  facet openapi --device phone
  facet openapi --device phone --version v2 > phone.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&d.device, "device", "", "the `CLASS` of the device, such as phone (required)")
	cmd.Flags().StringVar(&d.version, "version", "", "the `VERSION` of its adapter, such as v1")
	cmd.Flags().StringVarP(&d.file, "config", "c", "", "the configuration `FILE` that says which devices and versions there are")
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
	c, err := d.contracts(b)
	if err != nil {
		return err
	}
	document, err := c.of(devices.Class(d.device), d.version)
	if err != nil {
		return err
	}
	_, err = stdout.Write(document)
	return failed(err)
}

// contracts are as the file has it, or by default without one.
func (d description) contracts(b *build) (contracts, error) {
	c := contracts{versions: b.versions, answering: make(map[devices.Class]string)}
	for class, names := range b.versions.Names() {
		c.answering[class] = names[0]
	}
	var of devices.Options
	if d.file != "" {
		configured, err := load(d.file, b)
		if err != nil {
			return c, err
		}
		c.answering, of = configured.Adapters, configured.Devices
	}
	var err error
	if c.devices, err = devices.NewResolver(of); err != nil {
		return c, refused{fmt.Errorf("devices: %w", err)}
	}
	return c, nil
}
