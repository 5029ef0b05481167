package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/core/strict"
)

const rolloutHelp = `Tell which versions of adapters are being rolled out by a running gateway, or change
it. A rollout is named CLASS/NAME, such as phone/reviews-first: a candidate, such as
v2, has a share of the class's units, and the others have control.

A change is in force on every replica within a second. It needs a token, from
--token-file or, without it, from the environment variable FACET_TOKEN; telling
needs none.`

// rolloutCommand is the command line of rollout.
type rolloutCommand struct {
	admin     string
	tokenFile string
}

func newRollout() *cobra.Command {
	var c rolloutCommand
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Release a version of an adapter to a share of a device class, and watch it",
		Long:  rolloutHelp,
		Example: `  facet rollout start phone/reviews-first --candidate v2 --plan 1:10m,5:30m,25:1h,50:2h,100 --guard errors=1,p99=20
  facet rollout status
  facet rollout step phone/reviews-first
  facet rollout abort phone/reviews-first --reason "the cart is empty"
  facet rollout history`,
		Args: cobra.NoArgs,
		RunE: c.list,
	}
	cmd.PersistentFlags().StringVar(&c.admin, "admin", "http://127.0.0.1:8081", "the `URL` of the gateway's private port")
	cmd.PersistentFlags().StringVar(&c.tokenFile, "token-file", "", "the `FILE` that holds the token, readable by its owner alone")
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "Tell every rollout", Args: cobra.NoArgs, RunE: c.list},
		&cobra.Command{Use: "status", Short: "Tell how candidates do, and which replicas have heard", Args: cobra.NoArgs, RunE: c.status},
		&cobra.Command{Use: "history", Short: "Tell who changed what, the last 200", Args: cobra.NoArgs, RunE: c.history},
		&cobra.Command{Use: "get", Short: "Print the document, to be changed and put back", Args: cobra.NoArgs, RunE: c.get},
		c.putCommand(), c.startCommand(),
		c.move("step", "Go on to the next step of the plan, or to a share", "share"),
		c.move("pause", "Keep the share as it is", "reason"),
		c.move("resume", "Let a paused rollout go on"),
		c.move("abort", "Make all units control again", "reason"),
		c.move("promote", "Make the candidate the control of its class"),
		c.move("restart", "Begin a rollout again that has ended", "share"),
		c.quarantineCommand(), c.releaseCommand(), newForceToken(),
	)
	return cmd
}

// document is what the private port tells of rollouts.
type toldRollouts struct {
	rollout.Document
}

func (c *rolloutCommand) list(cmd *cobra.Command, _ []string) error {
	var d toldRollouts
	if _, err := c.tell(cmd.Context(), "/rollouts", &d); err != nil {
		return err
	}
	return failed(tellRollouts(cmd.OutOrStdout(), d.Document))
}

// tell asks the private port for something, and returns its entity tag.
func (c *rolloutCommand) tell(ctx context.Context, path string, into any) (etag string, err error) {
	port, err := newPrivatePort(c.admin, "")
	if err != nil {
		return "", err
	}
	return port.askIf(ctx, http.MethodGet, path, "", nil, into)
}

// change asks for a change, and tells what the rollouts are then.
func (c *rolloutCommand) change(cmd *cobra.Command, method, path, ifMatch string, body any) error {
	token, err := readToken(c.tokenFile)
	if err != nil {
		return err
	}
	port, err := newPrivatePort(c.admin, token)
	if err != nil {
		return err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return failed(err)
	}
	var now toldRollouts
	if _, err := port.askIf(cmd.Context(), method, path, ifMatch, text, &now); err != nil {
		return err
	}
	return failed(tellRollouts(cmd.OutOrStdout(), now.Document))
}

// rolloutPath is the path of a rollout on the private port.
func rolloutPath(name string) (string, error) {
	class, rollout, ok := strings.Cut(name, "/")
	if !ok || class == "" || rollout == "" {
		return "", refused{errors.New("a rollout is named CLASS/NAME, such as phone/reviews-first")}
	}
	return "/rollouts/" + url.PathEscape(class) + "/" + url.PathEscape(rollout), nil
}

// move returns the command that does something with a rollout that there is.
func (c *rolloutCommand) move(action, short string, flags ...string) *cobra.Command {
	var reason string
	var share float64
	cmd := &cobra.Command{
		Use: action + " CLASS/NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := rolloutPath(args[0])
			if err != nil {
				return err
			}
			m := move{Reason: reason}
			if cmd.Flags().Changed("share") {
				m.Share = (*rollout.Percent)(&share)
			}
			return c.change(cmd, http.MethodPost, path+"/"+action, "", m)
		},
	}
	for _, flag := range flags {
		switch flag {
		case "share":
			cmd.Flags().Float64Var(&share, "share", 0, "the `PERCENT` of the class's units (default the plan's next step)")
		case "reason":
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
		}
	}
	return cmd
}

func (c *rolloutCommand) quarantineCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "quarantine CLASS/VERSION", Short: "Take a version out: its units have control", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := rolloutPath(args[0])
			if err != nil {
				return err
			}
			return c.change(cmd, http.MethodPut, strings.Replace(path, "/rollouts/", "/quarantine/", 1), "", quarantining{reason})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return cmd
}

func (c *rolloutCommand) releaseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "release CLASS/VERSION", Short: "End the quarantine of a version", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := rolloutPath(args[0])
			if err != nil {
				return err
			}
			return c.change(cmd, http.MethodDelete, strings.Replace(path, "/rollouts/", "/quarantine/", 1), "", struct{}{})
		},
	}
}

func (c *rolloutCommand) get(cmd *cobra.Command, _ []string) error {
	var d toldRollouts
	etag, err := c.tell(cmd.Context(), "/rollouts", &d)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return failed(err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
	fmt.Fprintf(cmd.ErrOrStderr(), "revision %s: put it back with 'facet rollout put FILE --revision %s'\n", etag, etag)
	return nil
}

func (c *rolloutCommand) putCommand() *cobra.Command {
	var revision uint64
	cmd := &cobra.Command{
		Use: "put FILE", Short: "Put a whole document in the place of the one that was read", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return refused{err}
			}
			var d rollout.Document
			if err := strict.Decode(text, &d); err != nil {
				return refused{fmt.Errorf("%s: %w", args[0], err)}
			}
			return c.change(cmd, http.MethodPut, "/rollouts", strconv.FormatUint(revision, 10), d)
		},
	}
	cmd.Flags().Uint64Var(&revision, "revision", 0, "the `NUMBER` that get told (required)")
	if err := cmd.MarkFlagRequired("revision"); err != nil {
		panic(err) // there is no such flag: a defect of this function
	}
	return cmd
}

func (c *rolloutCommand) history(cmd *cobra.Command, _ []string) error {
	var all []rollout.Event
	if _, err := c.tell(cmd.Context(), "/rollouts/history", &all); err != nil {
		return err
	}
	w := table(cmd.OutOrStdout())
	for _, e := range all {
		name := string(e.Class)
		if e.Rollout != "" {
			name += "/" + e.Rollout
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Revision, e.At.Local().Format(time.DateTime), e.By, e.What, name, e.Detail)
	}
	return failed(w.Flush())
}

func (c *rolloutCommand) status(cmd *cobra.Command, _ []string) error {
	var s fleet.Status
	if _, err := c.tell(cmd.Context(), "/rollouts/status", &s); err != nil {
		return err
	}
	return failed(tellStatus(cmd.OutOrStdout(), &s))
}

func tellStatus(to io.Writer, s *fleet.Status) error {
	heard := 0
	for _, r := range s.Replicas {
		if r.Revision == s.Revision {
			heard++
		}
	}
	fmt.Fprintf(to, "%d of %d replicas at revision %d; the store is %s\n", heard, len(s.Replicas), s.Revision, s.Store)
	for _, r := range s.Replicas {
		if len(r.Lacks) > 0 {
			fmt.Fprintf(to, "%s lacks %s: control answers there\n", r.ID, strings.Join(r.Lacks, ", "))
		}
	}
	for _, out := range s.Confined {
		fmt.Fprintf(to, "%s is taken out by %s only, so far\n", out, s.Replica)
	}
	w := table(to)
	for _, r := range s.Rollouts {
		for arm, a := range sorted(map[string]fleet.Arm{"candidate": r.Candidate, "control": r.Control}) {
			fmt.Fprintf(w, "%s/%s\t%s\t%d requests\t%d failed\t%d degraded\t%d panicked\tp50 %.1f ms\tp99 %.1f ms\n",
				r.Class, r.Rollout, arm, a.Requests, a.Failed, a.Degraded, a.Panicked, a.P50, a.P99)
		}
		if why := cmp.Or(r.Verdict, r.Waits); why != "" {
			fmt.Fprintf(w, "%s/%s\t%s\n", r.Class, r.Rollout, why)
		}
	}
	return w.Flush()
}

// tellRollouts prints a line for each rollout, and each version that is taken out.
func tellRollouts(to io.Writer, d rollout.Document) error {
	w := table(to)
	for class, l := range sorted(d.Classes) {
		if l.Control != "" {
			fmt.Fprintf(w, "%s\tcontrol %s\n", class, l.Control)
		}
		for i := range l.Rollouts {
			r := &l.Rollouts[i]
			since := r.Since.Local().Format(time.DateTime)
			fmt.Fprintf(w, "%s/%s\t%s\t%s\t%s\tsince %s\t%s\n", class, r.Name, r.Candidate, has(r), r.Status, since, r.Reason)
		}
		for version, q := range sorted(l.Quarantine) {
			fmt.Fprintf(w, "%s/%s\tin quarantine\tsince %s\tby %s\t%s\n", class, version, q.At.Local().Format(time.DateTime), q.By, q.Reason)
		}
	}
	return w.Flush()
}

// has is what the candidate of a rollout has.
func has(r *rollout.Rollout) string {
	if r.Status == rollout.Promoted {
		return "control"
	}
	return fmt.Sprintf("%v %%", r.Share)
}

func table(to io.Writer) *tabwriter.Writer {
	const gap = 2
	return tabwriter.NewWriter(to, 0, 0, gap, ' ', 0)
}
