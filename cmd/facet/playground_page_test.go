package main_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestPlaygroundByKeyboard asks for the home page of a tablet while the reviews
// hang, with no other hand than the keyboard.
func TestPlaygroundByKeyboard(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	eventually(t, "a whole home page", func() bool {
		return get(t, gateway+"/home", "X-Device-Type", "tablet", "X-User-Id", "u-7").header.Get("Facet-Parts") == ""
	})
	b := visit(t, p.announced("playground"))

	b.tabTo("path")
	b.press("/h")
	b.tabTo("device")
	b.press("tab")
	b.tabTo("reviews-kind")
	b.press("hang")
	b.until("reviews are broken", `document.querySelector("#status").innerText === "reviews: hang"`)
	b.press(kb.Enter)
	b.until("Enter sends from where it is", `document.querySelector("#status").innerText.startsWith("200 OK")`)
	sendUntil(b, `^200 OK in [0-9.]+ ms by tablet/v1 for tablet \(said by header\): 5 of 6 parts live and whole\.$`)

	parts := b.texts("#parts tbody tr")
	stale := regexp.MustCompile(`^reviews S stale · \d+ s old; (timeout|open): the call (took longer|was not made)`)
	if i := slices.IndexFunc(parts, stale.MatchString); len(parts) != 6 || i < 0 {
		t.Errorf("parts %q, want six of them, and stale reviews", parts)
	}
	calls := b.texts("#calls .call:not(.axis)")
	hung := regexp.MustCompile(`^reviews\.summaries ?batch of \d+ S stale · (timeout|short circuited) `)
	if i := slices.IndexFunc(calls, hung.MatchString); i < 0 {
		t.Errorf("calls %q, want a batch of reviews that timed out among them", calls)
	}
	if others := slices.DeleteFunc(calls, func(text string) bool { return strings.Contains(text, " L live ") }); len(others) != 1 {
		t.Errorf("%q are not live either", others)
	}
	if explained := b.text("#lines"); !strings.Contains(explained, "the version that made the page: tablet/v1") {
		t.Errorf("the header is not explained: %s", explained)
	}
	if !strings.Contains(b.text("#body"), `"sections"`) {
		t.Error("the body is not shown")
	}
}

// TestPlaygroundOfAVersion tries phone/v2, which the configuration did not
// choose, and a slow catalog: what needs it begins later.
func TestPlaygroundOfAVersion(t *testing.T) {
	t.Parallel()
	p, gateway, faults := demo(t)
	whole(t, gateway, "phone", "p-1042")
	b := visit(t, p.announced("playground"))

	b.tabTo("device")
	b.press("ph")
	b.tabTo("version")
	b.press("phone/v2")
	b.tabTo("catalog-latency")
	b.press(kb.ArrowRight + kb.ArrowRight)
	sendUntil(b, `^200 OK in [0-9.]+ ms by phone/v2 for phone \(said by header\): 7 of 7 parts live and whole\.$`)

	later := eval[bool](b, `(() => {
		const bar = (name) => [...document.querySelectorAll("#calls .call")]
			.find((row) => row.querySelector(".command")?.textContent === name).querySelector(".bar").getBoundingClientRect();
		return bar("shipping.options").left >= bar("catalog.product").right - 1 && bar("catalog.product").width > 20;
	})()`)
	if !later {
		t.Errorf("shipping, which needs the catalog, does not begin after it: %q", b.texts("#calls .call"))
	}
	if now := decode[map[string]string](t, get(t, faults+"/faults").body)["catalog"]; now != "latency=100ms" {
		t.Errorf("the catalog has %q", now)
	}
	b.tabTo("heal")
	b.press(" ")
	b.until("all is healed", `document.querySelector("#status").innerText === "All services are healthy."`)
	if now := decode[map[string]string](t, get(t, faults+"/faults").body)["catalog"]; now != "none" {
		t.Errorf("after Heal all the catalog has %q", now)
	}
}

// TestPlaygroundIsShared: the address of one page is the situation of another
// one, which breaks nothing before Send.
func TestPlaygroundIsShared(t *testing.T) {
	t.Parallel()
	p, gateway, faults := demo(t)
	whole(t, gateway, "tablet", "p-1001")
	situation := url.Values{
		"path": {"/productdetails"}, "q.productid": {"p-1001"}, "device": {"agent:iPad"}, "version": {""}, "user": {""}, "timing": {"0"},
		"header": {"Accept-Encoding: gzip"}, "fault.reviews": {"spread=1ms,latency=2ms,down"}, "fault.orders": {"error=1"},
		"fault.inventory": {"queue=8,capacity=4,spread=1000us"},
	}
	b := visit(t, p.announced("playground")+"#"+situation.Encode())
	if said := b.text("#status"); said != "This address changes the faults of inventory, orders, reviews. Send does so, and asks." {
		t.Errorf("it says %q", said)
	}
	if now := decode[map[string]string](t, get(t, faults+"/faults").body)["orders"]; now != "none" {
		t.Fatalf("a link alone gave orders the fault %s", now)
	}
	sendUntil(b, `^200 OK in [0-9.]+ ms by tablet/v1 for tablet \(said by user-agent\): 4 of 7 parts live and whole\.$`)
	if now := decode[map[string]string](t, get(t, faults+"/faults").body); now["reviews"] != "down" || now["orders"] != "error=1" ||
		now["inventory"] != "spread=1ms,capacity=4,queue=8" {
		t.Errorf("the services have %v", now)
	}
	for _, want := range []string{"Content-Encoding gzip packed", "cart M missing · anonymous: the call needs a user"} {
		if !strings.Contains(b.text("#lines"), want) {
			t.Errorf("no %q in %s", want, b.text("#lines"))
		}
	}
	again, err := url.ParseQuery(strings.TrimPrefix(eval[string](b, "location.hash"), "#"))
	if err != nil || again.Get("device") != "agent:iPad" || again.Get("q.productid") != "p-1001" || again.Get("fault.reviews") != "down" {
		t.Errorf("the address became %v, %v", again, err)
	}
}

// TestPlaygroundTellsWhatIsRefused: by the gateway, as an answer; by the
// playground, as a sentence.
func TestPlaygroundTellsWhatIsRefused(t *testing.T) {
	t.Parallel()
	p, _, _ := demo(t)
	b := visit(t, p.announced("playground")+"#path=/productdetails&q.productid=a/b&device=class:tv")
	sendUntil(b, `^400 Bad Request in [0-9.]+ ms by tv/v1 for tv \(said by header\)\.$`)
	if body := b.text("#body"); !strings.Contains(body, `"field": "productid"`) {
		t.Errorf("body %s", body)
	}
}

// TestPlaygroundCanBeRead: text has a contrast of 4.5 at least (WCAG 2.2, 1.4.3)
// in both schemes, every control has a label, and nothing has to be scrolled
// sideways on a narrow screen.
func TestPlaygroundCanBeRead(t *testing.T) {
	t.Parallel()
	p, _, _ := demo(t, "--fault", "reviews=hang", "--fault", "inventory=drip=1ms,latency=50ms")
	b := visit(t, p.announced("playground")+"#path=/productdetails&q.productid=p-1042&device=class:phone&user=&timing=1&"+
		"header=Origin:+http://a.example&fault.reviews=hang&fault.inventory=drip=1ms,latency=50ms")
	sendUntil(b, `^200 `)
	b.readable()
}

// sendUntil presses Enter on the Send button until the status says what is wanted:
// on a busy machine a call may take longer than it is given.
func sendUntil(b *browser, wanted string) {
	b.t.Helper()
	pattern := regexp.MustCompile(wanted)
	b.tabTo("send")
	said := ""
	eventually(b.t, "a status like "+wanted, func() bool {
		b.press(kb.Enter)
		b.until("an answer", `document.querySelector("#answer").getAttribute("aria-busy") === "false"`)
		if now := b.text("#status"); now != said {
			said = now
			b.t.Logf("the page says: %s", said)
		}
		return pattern.MatchString(said)
	})
}

// faintTexts lists the texts whose contrast to what is painted behind them is
// below 4.5. The browser itself mixes the colours, on a canvas of one pixel.
const faintTexts = `(() => {
	const canvas = document.createElement("canvas");
	canvas.width = canvas.height = 1;
	const brush = canvas.getContext("2d", { willReadFrequently: true });
	const luminance = () => {
		const [r, g, b] = [...brush.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
			.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const paint = (colour) => { brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1); };
	const behind = (element) => {
		if (element.parentElement) { behind(element.parentElement); } else { paint("Canvas"); }
		paint(getComputedStyle(element).backgroundColor);
	};
	const contrast = (element) => {
		behind(element);
		const back = luminance();
		paint(getComputedStyle(element).color);
		const front = luminance();
		return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
	};
	const speaks = (element) => element.getClientRects().length > 0 &&
		[...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
	return [...document.body.querySelectorAll("*")].filter((e) => speaks(e) && contrast(e) < 4.5)
		.map((e) => e.tagName + " " + e.textContent.slice(0, 40) + " " + contrast(e).toFixed(2));
})()`

// TestPlaygroundAnswersItsOwnPageOnly: a browser on another page of the machine
// is refused, as its headers tell.
func TestPlaygroundAnswersItsOwnPageOnly(t *testing.T) {
	t.Parallel()
	p, _, _ := demo(t)
	playground := p.announced("playground")
	for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Content-Type", "text/plain"}} {
		headers := append([]string{"Content-Type", "application/json"}, header...)
		a, err := send(t, http.MethodPut, playground+"/faults/reviews", `{"fault":"down"}`, headers...)
		if err != nil || a.status < 400 || a.status > 403 {
			t.Errorf("%q: %d %s %v", header, a.status, a.body, err)
		}
	}
	if now := decode[map[string]string](t, get(t, playground+"/faults").body)["reviews"]; now != "none" {
		t.Errorf("reviews has %q", now)
	}
}
