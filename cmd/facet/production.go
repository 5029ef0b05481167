//go:build production

package main

import "github.com/spf13/cobra"

// developmentExamples are none: a production build has no simulator.
const developmentExamples = ""

func developmentCommands() []*cobra.Command { return nil }
