package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/strict"
)

// starting is the command line of what begins a rollout.
type starting struct {
	file      string
	rollout   rollout.Rollout
	share     float64
	plan      string
	guard     string
	slice     string
	allow     []string
	countries []string
	locales   []string
	shadow    float64
}

func (c *rolloutCommand) startCommand() *cobra.Command {
	var s starting
	cmd := &cobra.Command{
		Use: "start CLASS/NAME", Short: "Begin a rollout", Args: cobra.ExactArgs(1),
		Long: `Begin a rollout: a candidate has a share of the units of a class, who is control
otherwise. A unit is a user, else a device, else a browser.

--plan is SHARE[:SOAK],…: 1:10m,5:30m,100 is 1 % for ten minutes, 5 % for half an
hour, then all. A person goes on to the next step, or with --automatic the plan does.

--guard is LIMIT=NUMBER,…: how much worse the candidate may be than control before
the rollout is aborted, in percent: errors and degraded in percent of all requests,
p50, p99 and bytes in percent of control's; panics is their number. min_samples
(default 200) is how many requests of each nothing is said below, alpha (default
0.01) the chance that a candidate is aborted that is as good as control. hold pauses
the rollout instead.`,
		Example: `  facet rollout start phone/reviews-first --candidate v2 --share 1
  facet rollout start tv/billboard --candidate v2 --plan 1:10m,5:30m,25:1h,50:2h,100 --automatic \
    --guard errors=1,degraded=2,p99=20,panics=1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := rolloutPath(args[0])
			if err != nil {
				return err
			}
			r, err := s.described()
			if err != nil {
				return refused{err}
			}
			return c.change(cmd, http.MethodPut, path, "", r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.file, "file", "", "a `FILE` that describes the rollout, as JSON; flags beside it win")
	f.StringVar(&s.rollout.Candidate, "candidate", "", "the `VERSION`, such as v2")
	f.Float64Var(&s.share, "share", 0, "the `PERCENT` of the class's units (default that of the plan's first step)")
	f.StringVar(&s.plan, "plan", "", "how the share grows, such as `1:10m,5:30m,100`")
	f.BoolVar(&s.rollout.Automatic, "automatic", false, "let the plan go on by itself")
	f.StringVar(&s.guard, "guard", "", "how much worse it may be, such as `errors=1,p99=20`")
	f.StringVar(&s.slice, "slice", "", "`FROM-TO`, the part of the class, in percent, that no other rollout has (default all)")
	f.StringSliceVar(&s.allow, "allow", nil, "`UNITS` that have the candidate in any case")
	f.StringVar(&s.rollout.Rules.AppVersion.Min, "app-min", "", "the lowest `VERSION` of the client app that takes part")
	f.StringVar(&s.rollout.Rules.AppVersion.Below, "app-below", "", "the `VERSION` of the client app from which on none does")
	f.StringSliceVar(&s.countries, "country", nil, "`COUNTRIES` that take part, such as NL")
	f.StringSliceVar(&s.locales, "locale", nil, "`LANGUAGES` that take part, such as nl")
	f.Float64Var(&s.shadow, "shadow", 0, "the `PERCENT` of control's requests that the candidate answers, too, for nobody")
	return cmd
}

// described is the rollout that the command line describes.
func (s *starting) described() (rollout.Rollout, error) {
	var r rollout.Rollout
	if s.file != "" {
		text, err := os.ReadFile(s.file)
		if err != nil {
			return r, err //nolint:wrapcheck // it names the file
		}
		if err := strict.Decode(text, &r); err != nil {
			return r, fmt.Errorf("%s: %w", s.file, err)
		}
	}
	r.Candidate = cmp.Or(s.rollout.Candidate, r.Candidate)
	r.Share = cmp.Or(rollout.Percent(s.share), r.Share)
	r.Automatic = s.rollout.Automatic || r.Automatic
	r.Rules.AppVersion = cmp.Or(s.rollout.Rules.AppVersion, r.Rules.AppVersion)
	r.Rules.Allow, r.Rules.Countries = append(r.Rules.Allow, s.allow...), append(r.Rules.Countries, s.countries...)
	r.Rules.Locales = append(r.Rules.Locales, s.locales...)
	if s.shadow > 0 {
		r.Shadow = &rollout.Shadow{Sample: rollout.Percent(s.shadow)}
	}
	err := errors.Join(finite("--share", s.share), finite("--shadow", s.shadow), s.readPlan(&r), s.readGuard(&r), s.readSlice(&r))
	if err == nil && r.Share == 0 && len(r.Plan)+len(r.Rules.Allow) == 0 && r.Shadow == nil {
		err = errors.New("nobody would have it: --share, --plan, --allow or --shadow is needed")
	}
	return r, err
}

// finite refuses what ParseFloat takes and JSON has no word for.
func finite(flag string, n float64) error {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("%s: %v is not a number", flag, n)
	}
	return nil
}

// number reads a number that JSON has, too.
func number(text string) (n float64, ok bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && finite("", n) == nil
}

func (s *starting) readPlan(r *rollout.Rollout) error {
	if s.plan == "" {
		return nil
	}
	r.Plan = nil
	for text := range strings.SplitSeq(s.plan, ",") {
		share, soak, soaks := strings.Cut(text, ":")
		percent, ok := number(share)
		if !ok {
			return fmt.Errorf("--plan: %q is not SHARE[:SOAK], such as 5:30m", text)
		}
		step := rollout.Step{Share: rollout.Percent(percent)}
		if soaks {
			d, err := time.ParseDuration(soak)
			if err != nil {
				return fmt.Errorf("--plan: %q is not a duration, such as 30m", soak)
			}
			step.Soak = rollout.Duration(d)
		}
		r.Plan = append(r.Plan, step)
	}
	return nil
}

const usualSamples = 200

func (s *starting) readGuard(r *rollout.Rollout) error {
	if s.guard == "" {
		return nil
	}
	g := rollout.Guard{MinSamples: usualSamples}
	limits := map[string]func(float64){
		"min_samples": func(n float64) { g.MinSamples = int(n) },
		"alpha":       func(n float64) { g.Alpha = n },
		"errors":      func(n float64) { g.Errors = rollout.Percent(n) },
		"degraded":    func(n float64) { g.Degraded = rollout.Percent(n) },
		"panics":      func(n float64) { g.Panics = int(n) },
		"p50":         func(n float64) { g.P50 = n },
		"p99":         func(n float64) { g.P99 = n },
		"bytes":       func(n float64) { g.Bytes = n },
	}
	for text := range strings.SplitSeq(s.guard, ",") {
		if text == "hold" {
			g.Hold = true
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		n, ok := number(value)
		if set := limits[name]; set != nil && ok {
			set(n)
			continue
		}
		known := strings.Join(slices.Sorted(maps.Keys(limits)), ", ")
		return fmt.Errorf("--guard: %q is not LIMIT=NUMBER; limits are %s, and hold alone", text, known)
	}
	r.Guard = &g
	return nil
}

func (s *starting) readSlice(r *rollout.Rollout) error {
	if s.slice == "" {
		return nil
	}
	from, to, _ := strings.Cut(s.slice, "-")
	low, lowOK := number(from)
	high, highOK := number(to)
	if !lowOK || !highOK {
		return fmt.Errorf("--slice: %q is not FROM-TO in percent, such as 0-50", s.slice)
	}
	r.Slice = rollout.Slice{From: rollout.Percent(low), To: rollout.Percent(high)}
	return nil
}

// sorted yields a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
