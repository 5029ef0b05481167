package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/facet-gateway/facet/core/rollout"
)

// TestPlaygroundReleasesAVersion by the operator's page: starts a rollout, grows it,
// sees who has it, aborts it, and reads the history.
func TestPlaygroundReleasesAVersion(t *testing.T) {
	t.Parallel()
	o := operate(t)
	b := visit(t, o.page)
	if hash := eval[string](b, "location.hash"); strings.Contains(hash, "token") {
		t.Errorf("the address, which is to be shared, holds the token: %s", hash)
	}
	b.fill("start-class", "phone")
	b.fill("start-name", "grid")
	b.fill("start-share", "30, 60:1m, 100")
	b.click("#start-send")
	b.untilText("#rollout-phone-grid .against", "v2 against v1: 30 % of the units of phone")
	b.untilText("#fleet", "1 of 1 replicas at revision 1; the store is available.")
	b.untilText("#units-note", "Revision 1")
	before := b.units("candidate")

	b.click("#rollout-phone-grid [data-action=step]")
	b.untilText("#units-note", "Revision 2: ")
	after := b.units("candidate")
	if lost := slices.DeleteFunc(before, func(unit string) bool { return slices.Contains(after, unit) }); len(lost) > 0 {
		t.Errorf("%v had the candidate at 30 %%, and have it no more at 60 %%", lost)
	}
	if r := o.document(t).Rollout("phone", "grid"); r == nil || r.Share != 60 || len(r.Plan) != 3 || r.Guard == nil || r.Guard.Degraded != 5 {
		t.Errorf("it is %+v", r)
	}
	b.sees(after[0], "v2", regexp.MustCompile(`^`+after[0]+` has v2: the candidate of grid, whose share has its bucket\. Revision 2\.$`))
	other := b.units("control")[0]
	b.sees(other, "v1", regexp.MustCompile(`^`+other+` has v1: control of grid, whose share does not have its bucket\. Revision 2\.$`))

	b.click("#view-rollouts")
	b.fill("rollout-phone-grid-reason", "the cart is empty")
	b.click("#rollout-phone-grid [data-action=abort]")
	b.untilText("#rollout-phone-grid .says", "aborted: the cart is empty")
	b.untilText("#history tbody tr", "abort phone/grid: the cart is empty")
	b.untilText("#units-note", "Revision 3: 0 came to the candidate since revision 2, and "+strconv.Itoa(len(after))+" left it")
	if line := b.text("#history tbody tr"); !regexp.MustCompile(`^3 \d\d:\d\d:\d\d demo abort `).MatchString(line) {
		t.Errorf("the history begins with %q", line)
	}
	if r := o.document(t).Rollout("phone", "grid"); r.Status != rollout.Aborted {
		t.Errorf("it is %+v", r)
	}
}

// TestPlaygroundMovesARollout through all that can be done with one.
func TestPlaygroundMovesARollout(t *testing.T) {
	t.Parallel()
	o := operate(t)
	o.change(t, "PUT", "/rollouts/tv/wall", `{"candidate":"v2","plan":[{"share":10},{"share":100}]}`)
	b := visit(t, o.page)
	b.untilText("#rollout-tv-wall .state", "running")
	for _, step := range []struct {
		action, share string
		status        rollout.Status
		now           rollout.Percent
	}{
		{"pause", "", rollout.Paused, 10},
		{"step", "25.5", rollout.Paused, 25.5},
		{"resume", "", rollout.Running, 25.5},
		{"step", "", rollout.Running, 100},
		{"promote", "", rollout.Promoted, 0},
		{"restart", "5", rollout.Running, 5},
		{"abort", "", rollout.Aborted, 0},
		{"restart", "", rollout.Running, 10},
	} {
		b.fill("rollout-tv-wall-share", step.share)
		b.click("#rollout-tv-wall [data-action=" + step.action + "]")
		eventually(t, step.action, func() bool {
			r := o.document(t).Rollout("tv", "wall")
			return r.Status == step.status && r.Share == step.now
		})
		b.untilText("#rollout-tv-wall .state", string(step.status))
	}
}

// TestPlaygroundAsksForAToken where it has none, or nobody's; and what is refused
// stands beside the control at fault.
func TestPlaygroundAsksForAToken(t *testing.T) {
	t.Parallel()
	o := operate(t)
	b := visit(t, o.announced("playground")+"#view=rollouts")
	b.allow("status of 401", "status of 400")
	b.fill("start-class", "tv")
	b.fill("start-share", "10")
	b.click("#start-send")
	b.untilText("#start-problem", "A change needs an operator's token. Give it above, and this is done.")
	b.press("facet_" + strings.Repeat("x", 43) + kb.Enter) // the token has the focus
	b.untilText("#start-problem", "Not changed: the token is nobody's.")
	if len(o.document(t).Classes) != 0 {
		t.Error("a rollout was started after all")
	}
	b.press(o.token + kb.Enter)
	b.untilText("#rollout-tv-first-try .against", "v2 against v1: 10 % of the units of tv")

	b.fill("rollout-tv-first-try-share", "101")
	b.click("#rollout-tv-first-try [data-action=step]")
	b.untilText("#rollout-tv-first-try .wrong", "must be 0 to 100 percent")
	b.fill("start-share", "ten")
	b.click("#start-send")
	b.untilText("#start .wrong", "ten is not PERCENT")
	if stored := eval[int](b, `localStorage.length + sessionStorage.length + document.cookie.length`); stored != 0 {
		t.Error("something is stored in the browser")
	}
}

// TestPlaygroundReadsWhileItIsSeen: about once a second, and not from behind.
func TestPlaygroundReadsWhileItIsSeen(t *testing.T) {
	t.Parallel()
	o := operate(t)
	b := visit(t, o.announced("playground"))
	asked := `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/rollouts/status")).length`
	if n := eval[int](b, asked); n != 0 {
		t.Errorf("it was read %d times before anybody looked", n)
	}
	b.click("#view-rollouts")
	b.until("it is read again and again", asked+" >= 3")
	b.click("#view-answer")
	began := eval[float64](b, `performance.now()`)
	b.until("the last reading is over", fmt.Sprintf(`performance.now() > %v + 1500`, began))
	before := eval[int](b, asked)
	b.until("two more would have been made", fmt.Sprintf(`performance.now() > %v + 4000`, began))
	if after := eval[int](b, asked); after != before {
		t.Errorf("from behind it was read %d times", after-before)
	}
}

// TestPlaygroundStopsABrokenCandidate plays the story with the page's own traffic.
func TestPlaygroundStopsABrokenCandidate(t *testing.T) {
	t.Parallel()
	o := operate(t)
	o.change(t, "PUT", "/rollouts/phone/grid", `{"candidate":"v2","share":100}`)
	o.change(t, "POST", "/rollouts/phone/grid/promote", "")
	b := visit(t, o.page)
	b.fill("start-class", "phone")
	b.fill("start-candidate", "v1")
	b.fill("start-name", "back")
	b.fill("start-share", "50")
	b.fill("start-samples", "20")
	b.click("#start-send")
	b.untilText("#rollout-phone-back .says", "Its guard says nothing yet: it needs 20 requests of each.")
	b.fill("inventory-errors", "100")
	b.fill("traffic-path", "/home")
	b.fill("traffic-seconds", "60")
	b.click("#traffic-send")
	b.untilText("#traffic-told", "/home for phone, ")
	b.untilText("#rollout-phone-back .says", "aborted: degraded: ")
	b.click("#traffic-send")
	b.untilText("#traffic-told", "/home for phone, ended: ")
}

// TestPlaygroundRolloutsCanBeRead, as the other half of the page.
func TestPlaygroundRolloutsCanBeRead(t *testing.T) {
	t.Parallel()
	o := operate(t)
	o.change(t, "PUT", "/rollouts/phone/grid", `{"candidate":"v2","plan":[{"share":30},{"share":100}],"guard":{"min_samples":20,"errors":1}}`)
	o.change(t, "PUT", "/rollouts/tv/wall", `{"candidate":"v2","share":30}`)
	o.change(t, "POST", "/rollouts/tv/wall/abort", `{"reason":"a test"}`)
	o.change(t, "PUT", "/quarantine/tablet/v2", `{"reason":"a test"}`)
	b := visit(t, o.page+"&path=/home")
	b.untilText("#confined", "tablet/v2 is in quarantine since")
	b.untilText("#units-legend", "have")
	b.readable()
	b.click("#confined [data-action=release]")
	b.until("it is released", `document.querySelector("#confined").children.length === 0`)
	if out := o.document(t).Classes["tablet"].Quarantine; len(out) > 0 {
		t.Errorf("in quarantine are %v", out)
	}
}
