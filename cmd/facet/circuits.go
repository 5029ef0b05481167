package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

const circuitsHelp = `Tell the circuit of every command of a running gateway, or force one open or
closed by hand, until it is released or for a time.

Forced open, a command makes no call: its page gets what stands in for it, as if
the backend were down. Forced closed, every call is made, whatever comes of it. A
circuit that is released, or whose time is over, is closed and remembers no fault.

A change needs a token, from --token-file or, without it, from the environment
variable FACET_TOKEN; listing needs none. A token is never given on the command
line, which others on the machine can read.`

// circuitsCommand is the command line of circuits.
type circuitsCommand struct {
	admin     string
	tokenFile string
	limit     time.Duration
}

func newCircuits() *cobra.Command {
	var c circuitsCommand
	cmd := &cobra.Command{
		Use:   "circuits",
		Short: "Tell the circuits of a running gateway, or force one open or closed",
		Long:  circuitsHelp,
		Example: `  facet circuits
  facet circuits open reviews.reviews --for 5m --token-file ~/.facet-token
  FACET_TOKEN=… facet circuits release reviews.reviews --admin http://127.0.0.1:8081`,
		Args: cobra.NoArgs,
		RunE: c.list,
	}
	cmd.PersistentFlags().StringVar(&c.admin, "admin", "http://127.0.0.1:8081", "the `URL` of the gateway's private port")
	cmd.PersistentFlags().StringVar(&c.tokenFile, "token-file", "", "the `FILE` that holds the token, readable by its owner alone")
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "Tell the circuit of every command", Args: cobra.NoArgs, RunE: c.list},
		c.forcing("open", "Make no call of a command"),
		c.forcing("closed", "Make every call of a command"),
		&cobra.Command{
			Use: "release COMMAND", Short: "Let the circuit decide for itself again", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.change(cmd.Context(), cmd.OutOrStdout(), http.MethodDelete, args[0], nil)
			},
		},
	)
	return cmd
}

// forcing returns the command that forces a state.
func (c *circuitsCommand) forcing(state, short string) *cobra.Command {
	verb := state
	if state == "closed" {
		verb = "close"
	}
	cmd := &cobra.Command{
		Use: verb + " COMMAND", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]string{"state": state}
			if cmd.Flags().Changed("for") {
				body["for"] = c.limit.String()
			}
			return c.change(cmd.Context(), cmd.OutOrStdout(), http.MethodPut, args[0], body)
		},
	}
	cmd.Flags().DurationVar(&c.limit, "for", 0, "how long, over 0s and at most 24h (default until it is released)")
	return cmd
}

// circuitState is what the private port tells of a circuit.
type circuitState struct {
	Command     string    `json:"command"`
	State       string    `json:"state"`
	ForcedUntil time.Time `json:"forced_until"`
	Opened      uint64    `json:"opened"`
}

func (c *circuitsCommand) list(cmd *cobra.Command, _ []string) error {
	port, err := newPrivatePort(c.admin, "")
	if err != nil {
		return err
	}
	var all []circuitState
	if err := port.ask(cmd.Context(), http.MethodGet, "/circuits", nil, &all); err != nil {
		return err
	}
	return failed(tellCircuits(cmd.OutOrStdout(), all))
}

func (c *circuitsCommand) change(ctx context.Context, out io.Writer, method, name string, body any) error {
	token, err := readToken(c.tokenFile)
	if err != nil {
		return err
	}
	port, err := newPrivatePort(c.admin, token)
	if err != nil {
		return err
	}
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return failed(err)
		}
	}
	var now circuitState
	if err := port.ask(ctx, method, "/circuits/"+url.PathEscape(name), text, &now); err != nil {
		return err
	}
	return failed(tellCircuits(out, []circuitState{now}))
}

// tellCircuits prints a line for each.
func tellCircuits(to io.Writer, all []circuitState) error {
	w := table(to)
	for _, s := range all {
		until := ""
		if !s.ForcedUntil.IsZero() {
			until = "until " + s.ForcedUntil.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\topened %d times\t%s\n", s.Command, s.State, s.Opened, until)
	}
	return w.Flush()
}
