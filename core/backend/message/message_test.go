package message_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// line is calls whose writer runs until the test's end.
func line(t *testing.T, most int, send func(c *message.Calls, f *message.Flight) error) *message.Calls {
	t.Helper()
	return counted(t, most, new(atomic.Uint64), send)
}

func counted(t *testing.T, most int, late *atomic.Uint64, send func(c *message.Calls, f *message.Flight) error) *message.Calls {
	t.Helper()
	c := message.NewCalls(most, late)
	c.Open()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.Write(ctx, func(f *message.Flight) error { return send(c, f) }, nil) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	return c
}

func ask(ctx context.Context, c *message.Calls, to string) (message.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return c.Ask(ctx, &message.Request{To: to})
}

func echo(c *message.Calls, f *message.Flight) error {
	c.Answer(f.ID, message.Answer{Said: f.To})
	return nil
}

func TestAnswersBelongToTheirCalls(t *testing.T) {
	t.Parallel()
	var late atomic.Uint64
	c := counted(t, 64, &late, func(c *message.Calls, f *message.Flight) error {
		c.Answer("made up", message.Answer{Said: "evil"})
		_ = echo(c, f)
		c.Answer(f.ID, message.Answer{Said: "a second one"})
		return nil
	})
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			for n := range 100 {
				to := fmt.Sprint(i, "-", n)
				if a, err := ask(t.Context(), c, to); err != nil || a.Said != to {
					t.Errorf("%q for %q, %v", a.Said, to, err)
				}
			}
		})
	}
	callers.Wait()
	soon(t, "all others are counted", func() bool { return late.Load() == 2*6400 && c.InFlight() == 0 })
}

func TestWhatFails(t *testing.T) {
	t.Parallel()
	errSend, errBroken := errors.New("it is not sent"), errors.New("it broke")
	c := line(t, 8, func(*message.Calls, *message.Flight) error { return errSend })
	if _, err := ask(t.Context(), c, "x"); !errors.Is(err, errSend) {
		t.Errorf("not sent: %v", err)
	}
	c = line(t, 8, func(*message.Calls, *message.Flight) error { panic("a defect") })
	if _, err := ask(t.Context(), c, "x"); err == nil || !strings.Contains(err.Error(), "a defect") {
		t.Errorf("in a panic: %v", err)
	}
	c = line(t, 8, func(c *message.Calls, _ *message.Flight) error { c.Break(errBroken); return nil })
	if _, err := ask(t.Context(), c, "x"); !errors.Is(err, errBroken) {
		t.Errorf("in flight: %v", err)
	}
	if _, err := ask(t.Context(), c, "x"); !errors.Is(err, errBroken) || !errors.Is(c.Down(), errBroken) {
		t.Errorf("afterwards: %v", err)
	}
	c.Open()
	c.Break(message.ErrClosed)
	c.Open()
	if _, err := ask(t.Context(), c, "x"); !errors.Is(err, message.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestWriterThatIsStuck costs calls no more than their time, and no memory without end.
func TestWriterThatIsStuck(t *testing.T) {
	t.Parallel()
	goOn, entered, sent := make(chan struct{}), make(chan struct{}, 100), new(atomic.Int64)
	c := line(t, 4, func(c *message.Calls, f *message.Flight) error {
		entered <- struct{}{}
		<-goOn
		sent.Add(1)
		return echo(c, f)
	})
	ended, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := ask(ended, c, "x"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-entered
	errs := map[string]int{}
	for range 20 {
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := c.Ask(short, &message.Request{})
		cancel()
		errs[err.Error()]++
	}
	if len(errs) != 2 || errs[context.DeadlineExceeded.Error()] != 8 {
		t.Errorf("failed with %v", errs)
	}
	close(goOn)
	soon(t, "it goes on", func() bool { a, err := ask(t.Context(), c, "y"); return err == nil && a.Said == "y" })
	if n := sent.Load(); n != 2 {
		t.Errorf("%d were sent, want none whose call had ended", n)
	}
}

// soon polls until ok holds.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 200, "200": 200, "404": 404, "40": 0, "4040": 0, "4x4": 0, "-04": 0, "+40": 0} {
		if got := message.ParseStatus(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestInboxLosesTheOldest(t *testing.T) {
	t.Parallel()
	none := make(chan struct{})
	close(none)
	b := message.NewInbox(3, 10)
	for round := range 10 {
		lost := 0
		for n := range 5 {
			lost += b.Put(fmt.Appendf(nil, "m%d", n))
		}
		lost += b.Put(make([]byte, 11))
		b.Miss(1)
		if lost != 3 {
			t.Fatalf("round %d: %d lost", round, lost)
		}
		for n, want := range []string{"m2", "m3", "m4"} {
			m, missed, ok := b.Next(t.Context(), none)
			if !ok || string(m) != want || (missed == 4) != (n == 0) {
				t.Fatalf("round %d: got %q after %d lost, want %q", round, m, missed, want)
			}
		}
	}
	if b.Put(make([]byte, 6)) != 0 || b.Put(make([]byte, 6)) != 1 {
		t.Error("the bytes are not bounded")
	}
	_, _, _ = b.Next(t.Context(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 { // what was told before is nothing new
		if m, _, ok := b.Next(ctx, nil); ok {
			t.Errorf("got %q of an empty inbox", m)
		}
	}
}

func TestQuestionThatIsNone(t *testing.T) {
	t.Parallel()
	err := message.Do(t.Context(), message.Asked{Service: "s", MaxBody: 1}, "to", func() {}, new(int), false,
		func(context.Context, *message.Request) error { t.Error("it was sent"); return nil })
	if fault.CodeOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
}

// FuzzFinish reads whatever a backend answers.
func FuzzFinish(f *testing.F) {
	f.Add("200", "application/json", "max-age=1", []byte(`{"id":"a"}`))
	f.Add("404", "", "", []byte(nil))
	f.Add("x", "text/html;;", "no-store, max-age=\"", []byte("\xff"))
	f.Fuzz(func(t *testing.T, status, kind, control string, body []byte) {
		var got struct {
			ID string `json:"id"`
		}
		a := message.Answer{Status: message.ParseStatus(status), ContentType: kind, Control: control, Body: body, Said: status}
		err := message.Do(t.Context(), message.Asked{Service: "s", MaxBody: 64}, "to", 1, &got, true,
			func(ctx context.Context, r *message.Request) error { return r.Finish(ctx, "a", a, nil) })
		if err == nil && (a.Status/100 != 2 || len(body) == 0 || len(body) > 64) {
			t.Errorf("took %d of %d bytes", a.Status, len(body))
		}
		if code := fault.CodeOf(err); err != nil && code != fault.NotFound && code != fault.BadAnswer && code != fault.Unavailable {
			t.Errorf("%v", err)
		}
	})
}

// TestWhatIsToldOfAConnection: each change once, the first failure, and not the end.
func TestWhatIsToldOfAConnection(t *testing.T) {
	t.Parallel()
	c := message.NewCalls(1, new(atomic.Uint64))
	var told []string
	c.Tell(func(err error) { told = append(told, fmt.Sprint(err)) })
	for _, is := range []string{"refused", "refused again", "", "", "gone", "still gone", ""} {
		if is == "" {
			c.Open()
		} else {
			c.Break(errors.New(is))
		}
	}
	c.Hold(errors.New("blocked"))
	c.Open()
	c.Break(message.ErrClosed)
	c.Open()
	c.Break(errors.New("after the end"))
	if want := []string{"refused", "<nil>", "gone", "<nil>", "blocked", "<nil>"}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	if !errors.Is(c.Down(), message.ErrClosed) {
		t.Error(c.Down())
	}
}
