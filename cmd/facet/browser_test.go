package main_test

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is a real Chromium without a window, on one page.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string // what the console said, and what was asked of strangers

	allowed []string // what the console may tell of
}

// visit starts a browser with an empty profile and opens a page. The browser
// knows no address but loopback's, and the test fails if the page asks another
// one or the console says anything.
func visit(t *testing.T, url string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("the page is tested in a browser: install chromium (make test-tools does): %v", err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // tests may run as root
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)...)
	ctx, _ := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() { b.close(); cancel() })
	if err := chromedp.Listen(ctx, b.notice); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	b.until("the page is ready", `!document.querySelector("#send").disabled`)
	return b
}

func (b *browser) close() {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_ = chromedp.Cancel(ctx) // the process ends in any case
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.wrong {
		b.t.Errorf("in the browser: %s", what)
	}
}

// notice is called with every event of the page, in order.
func (b *browser) notice(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.wrong = append(b.wrong, "console."+string(e.Type))
	case *log.EventEntryAdded:
		if !slices.ContainsFunc(b.allowed, func(text string) bool { return strings.Contains(e.Entry.Text, text) }) {
			b.wrong = append(b.wrong, string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "http://127.0.0.1:") {
			b.wrong = append(b.wrong, "asks "+e.Request.URL)
		}
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns the value of an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until looks until an expression holds in the page.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	eventually(b.t, what, func() bool { return eval[bool](b, expression) })
}

// press types, with keys of package kb among what is typed.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until an element has the focus, and checks that each one on
// the way shows that it has it.
func (b *browser) tabTo(id string) {
	b.t.Helper()
	const most = 100
	for range most {
		if eval[string](b, `document.activeElement.id`) == id {
			return
		}
		b.press(kb.Tab)
		if !eval[bool](b, `document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
			b.t.Errorf("the focus on %q cannot be seen", eval[string](b, `document.activeElement.id`))
		}
	}
	b.t.Fatalf("%d times Tab do not lead to %q", most, id)
}

// text returns what an element says, with single blanks.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return eval[string](b, `document.querySelector(`+strconv.Quote(selector)+`).innerText.replace(/\s+/g, " ").trim()`)
}

// texts returns what all elements of a selector say, with single blanks.
func (b *browser) texts(selector string) []string {
	b.t.Helper()
	return eval[[]string](b, `[...document.querySelectorAll(`+strconv.Quote(selector)+`)].map((e) => e.innerText.replace(/\s+/g, " ").trim())`)
}

// prefer sets the colour scheme that the person prefers.
func (b *browser) prefer(scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// readable checks what can be seen now: contrast in both schemes, labels, and that
// nothing has to be scrolled sideways.
func (b *browser) readable() {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if faint := eval[[]string](b, faintTexts); len(faint) > 0 {
			b.t.Errorf("%s: too little contrast: %q", scheme, faint)
		}
	}
	const controls = `[...document.querySelectorAll("input, select, textarea")]`
	if nameless := eval[[]string](b, controls+`.filter((e) => e.labels.length === 0).map((e) => e.id)`); len(nameless) > 0 {
		b.t.Errorf("controls without a label: %q", nameless)
	}
	for _, width := range []int64{1280, 640, 400} { // 640 is 1280 at a zoom of 200 %
		b.do(chromedp.EmulateViewport(width, 800))
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			b.t.Errorf("at a width of %d, %d pixels have to be scrolled to", width, over)
		}
	}
}

// allow lets the console tell of answers that the test is about, such as "status of 401".
func (b *browser) allow(texts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, texts...)
}

// click clicks on an element, which must be there to be seen.
func (b *browser) click(selector string) {
	b.t.Helper()
	const what = `(() => { const e = document.querySelector(%s); if (!e || e.hidden) { return false; } e.click(); return true; })()`
	if !eval[bool](b, fmt.Sprintf(what, strconv.Quote(selector))) {
		b.t.Fatalf("there is no %s to click on", selector)
	}
}

// fill gives a control a value, as a person does.
func (b *browser) fill(id, value string) {
	b.t.Helper()
	const what = `(() => {
		const e = document.getElementById(%s);
		e.value = %s;
		e.dispatchEvent(new Event("input", { bubbles: true }));
		e.dispatchEvent(new Event("change", { bubbles: true }));
		return e.value;
	})()`
	if got := eval[string](b, fmt.Sprintf(what, strconv.Quote(id), strconv.Quote(value))); got != value {
		b.t.Fatalf("%s takes %q for %q", id, got, value)
	}
}

// untilText waits until the first element of a selector says a text.
func (b *browser) untilText(selector, text string) {
	b.t.Helper()
	b.until(selector+" says "+text, fmt.Sprintf(`(document.querySelector(%s)?.innerText ?? "").replace(/\s+/g, " ").includes(%s)`,
		strconv.Quote(selector), strconv.Quote(text)))
}

// units are those that the picture shows in an arm.
func (b *browser) units(arm string) []string {
	b.t.Helper()
	return eval[[]string](b, `[...document.querySelectorAll("#units i.`+arm+`")].map((e) => e.dataset.unit)`)
}

// sees tries a page of a phone as a user, who must get a version for a reason.
func (b *browser) sees(user, version string, why *regexp.Regexp) {
	b.t.Helper()
	b.fill("device", "class:phone")
	b.fill("user", user)
	b.click("#send")
	b.until("an answer by "+version, `document.querySelector("#answer").getAttribute("aria-busy") === "false" &&
		document.querySelector("#status").innerText.includes(" by phone/`+version+` ")`)
	if said := b.text("#chosen"); !why.MatchString(said) {
		b.t.Errorf("it says %q, want %s", said, why)
	}
}
