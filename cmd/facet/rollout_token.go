package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// newForceToken makes tokens that force a version.
func newForceToken() *cobra.Command {
	var keyFile, who string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "token CLASS/VERSION", Short: "Make a token that gives a tester a version", Args: cobra.ExactArgs(1),
		Long: `Make a token that gives a tester a version, whatever the shares are, in the request
header Facet-Force or in the cookie __Host-facet-force. It is a JSON Web Token (RFC
7519), signed with the key that rollout.force_key names in the gateway's
configuration. A request with a token that is not valid is answered as without.
What is forced is not compared with control, and is logged as forced.`,
		Example: `  head -c 32 /dev/urandom | base64 >force.key && chmod 600 force.key
  facet rollout token phone/v2 --key force.key --who alice --for 8h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			class, version, ok := strings.Cut(args[0], "/")
			if !ok || class == "" || version == "" {
				return refused{errors.New("a version is named CLASS/VERSION, such as phone/v2")}
			}
			f, err := forcing(keyFile)
			if err != nil {
				return refused{fmt.Errorf("--key: %w", err)}
			}
			now := time.Now()
			token, err := f.Token(rollout.Pass{Class: devices.Class(class), Version: version, Who: who, Until: now.Add(life)}, now)
			if err != nil {
				return refused{err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "the `FILE` of the key (required)")
	cmd.Flags().StringVar(&who, "who", "", "the `TESTER`, for the log (required)")
	cmd.Flags().DurationVar(&life, "for", time.Hour, "how long it is valid, at most 720h")
	for _, name := range []string{"key", "who"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // there is no such flag: a defect of this function
		}
	}
	return cmd
}
