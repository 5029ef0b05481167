package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// DefectLimits is how many requests within Window a version on trial may panic in, or
// go on in its own code after its time, before it is taken out; 0: any number.
type DefectLimits struct {
	Panics   int
	Overruns int
	Window   time.Duration
}

// confinement is a version to be taken out.
type confinement struct {
	class   devices.Class
	version string
	why     rollout.Quarantine
}

// suspects counts the defects of versions. There are as many as a build has.
type suspects struct {
	limits DefectLimits

	mu sync.Mutex
	of map[suspect][]time.Time // the last, as many as the limit
}

type suspect struct {
	class   devices.Class
	version string
	defect  string
}

// add counts a defect, and reports whether there were too many.
func (s *suspects) add(who suspect, limit int, now time.Time) bool {
	if limit <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[suspect][]time.Time)
	}
	seen := append(s.of[who], now)
	seen = seen[max(0, len(seen)-limit):]
	if len(seen) == limit && now.Sub(seen[0]) <= s.limits.Window {
		delete(s.of, who) // once released, it begins anew
		return true
	}
	s.of[who] = seen
	return false
}

// Overran takes down that a version's own code goes on after its page's time. One that
// is not replaceable, because the configuration names it, is not taken out: there is
// nothing instead.
func (f *Fleet) Overran(class devices.Class, version string, replaceable bool) {
	now := f.Now()
	if replaceable && f.suspects.add(suspect{class, version, "overrun"}, f.suspects.limits.Overruns, now) {
		const reason = "its own code went on after its page's time in %d requests within %v: it may never end, and cannot be stopped"
		f.confine(class, version, fmt.Sprintf(reason, f.suspects.limits.Overruns, f.suspects.limits.Window))
	}
}

// panicked takes down that a candidate did.
func (f *Fleet) panicked(s *rollout.Seen) {
	if f.suspects.add(suspect{s.Class, s.Version, "panic"}, f.suspects.limits.Panics, f.Now()) {
		f.confine(s.Class, s.Version, fmt.Sprintf("it panicked in %d requests within %v", f.suspects.limits.Panics, f.suspects.limits.Window))
	}
}

// confine takes a version out here, at once; the next turn does so everywhere.
func (f *Fleet) confine(class devices.Class, version, reason string) {
	out := confinement{class, version, rollout.Quarantine{At: f.Now().UTC(), By: f.Replica, Reason: reason}}
	f.Log.Error("a version is taken out", "class", string(class), "version", version, "reason", reason)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ownOuts = pending(append(f.ownOuts, out), f.state)
	f.enforce()
}

// pending returns what a state has not got yet, each version once.
func pending(outs []confinement, s *rollout.State) []confinement {
	var left []confinement
	seen := make(map[string]bool, len(outs))
	for _, out := range outs {
		name := string(out.class) + "/" + out.version
		if l := s.Classes[out.class]; l != nil {
			if _, known := l.Quarantine[out.version]; known {
				continue
			}
		}
		if !seen[name] {
			seen[name] = true
			left = append(left, out)
		}
	}
	return left
}

// confineAll takes out everywhere what was taken out here.
func (f *Fleet) confineAll(ctx context.Context) {
	f.mu.Lock()
	outs := f.ownOuts
	f.mu.Unlock()
	for _, out := range outs {
		if _, err := f.apply(ctx, rollout.Confine(out.class, out.version, out.why), f.Replica); err != nil {
			f.Log.Warn("a version is taken out here only, so far", "class", string(out.class), "version", out.version, "error", err.Error())
		}
	}
}
