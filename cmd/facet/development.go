//go:build !production

package main

import "github.com/spf13/cobra"

// developmentExamples begin the examples of the program.
const developmentExamples = "  facet demo\n"

// developmentCommands are those that need the simulator.
func developmentCommands() []*cobra.Command {
	return []*cobra.Command{newDemo(), newSimulate(), newNew()}
}
