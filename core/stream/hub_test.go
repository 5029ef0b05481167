package stream_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// broker is what hubs of the tests subscribe to.
type broker struct {
	mu    sync.Mutex
	subs  map[string]func(string)
	opens map[string]int
	fail  error         // of the next open
	first string        // told at once; "": nothing is
	lost  chan struct{} // closed to lose every subscription
}

func newBroker() *broker {
	return &broker{subs: map[string]func(string){}, opens: map[string]int{}, lost: make(chan struct{})}
}

func (b *broker) open(ctx context.Context, key string, told func(string)) error {
	b.mu.Lock()
	b.opens[key]++
	if err := b.fail; err != nil {
		b.mu.Unlock()
		return err
	}
	b.subs[key] = told
	lost, first := b.lost, b.first
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, key)
	}()
	if first != "" {
		told(first)
	}
	select {
	case <-ctx.Done():
	case <-lost:
	}
	return nil
}

// publish tells those who are subscribed to the key, once somebody is.
func (b *broker) publish(t testing.TB, key string, values ...string) {
	t.Helper()
	for _, v := range values {
		until(t, "a subscription to "+key, func() bool {
			b.mu.Lock()
			told := b.subs[key]
			b.mu.Unlock()
			if told != nil {
				told(v)
			}
			return told != nil
		})
	}
}

// lose ends all subscriptions; further ones fail with err, unless that is nil.
func (b *broker) lose(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.lost)
	b.lost, b.fail = make(chan struct{}), err
}

func (b *broker) count(key string) (subscriptions, opens int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs[key] != nil {
		subscriptions = 1
	}
	return subscriptions, b.opens[key]
}

// until fails the test unless something holds within five seconds.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within five seconds: %s", what)
		}
	}
}

func newHub(t testing.TB, b *broker, change func(*stream.HubOptions[string])) *stream.Hub[string, string] {
	t.Helper()
	o := stream.HubOptions[string]{State: true, Linger: 20 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	h := stream.NewHub(o, b.open)
	t.Cleanup(func() {
		if n := h.Close(); n > 0 {
			t.Errorf("%d upstreams run on", n)
		}
	})
	return h
}

func follow[T any](t testing.TB, f stream.Feed[T], after string) *stream.Follower[T] {
	t.Helper()
	follower, err := f.Follow(after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(follower.Close)
	return follower
}

// next waits for what a follower has next.
func next[T any](f *stream.Follower[T]) (stream.Item[T], error) {
	timeout := time.After(5 * time.Second)
	for {
		changed := f.Changed()
		if item, ok, err := f.Next(); ok || err != nil {
			return item, err
		}
		select {
		case <-changed:
		case <-timeout:
			return stream.Item[T]{}, errors.New("nothing came in five seconds")
		}
	}
}

// want takes so many values and compares them, with a ! before those that come after a gap.
func want[T any](t testing.TB, f *stream.Follower[T], values ...string) (last string) {
	t.Helper()
	for _, value := range values {
		item, err := next(f)
		got := fmt.Sprint(item.Value)
		if item.Gap {
			got = "!" + got
		}
		if err != nil || got != value {
			t.Fatalf("got %q, %v; want %q", got, err, value)
		}
		last = item.ID
	}
	if item, ok, err := f.Next(); ok || err != nil {
		t.Fatalf("then came %v, %v; want nothing", item, err)
	}
	return last
}

func TestFollowersShareOneUpstream(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, nil)
	followers := make([]*stream.Follower[string], 100)
	for i := range followers {
		followers[i] = follow(t, h.Feed("a"), "")
	}
	b.publish(t, "a", "1", "2")
	for _, f := range followers {
		want(t, f, "1", "2")
	}
	want(t, follow(t, h.Feed("a"), ""), "2")
	if subscriptions, opens := b.count("a"); subscriptions != 1 || opens != 1 {
		t.Errorf("%d subscriptions, %d opens", subscriptions, opens)
	}
	if s := h.Stats(); s.Keys != 1 || s.Followers != 101 || s.Events != 2 || s.Opens != 1 {
		t.Errorf("stats %+v", s)
	}
	for _, f := range followers[1:] {
		f.Close()
		f.Close()
	}
	if s := h.Stats(); s.Followers != 2 {
		t.Errorf("after they left: %+v", s)
	}
}

func TestTheUpstreamIsLeftAfterTheLastFollower(t *testing.T) {
	t.Parallel()
	b := newBroker()
	long := newHub(t, b, func(o *stream.HubOptions[string]) { o.Linger = time.Minute })
	first := follow(t, long.Feed("a"), "")
	b.publish(t, "a", "1")
	id := want(t, first, "1")
	first.Close()
	b.publish(t, "a", "2", "3") // it lingers
	want(t, follow(t, long.Feed("a"), id), "2", "3")
	if _, opens := b.count("a"); opens != 1 {
		t.Errorf("%d opens", opens)
	}
	if n := long.Close(); n != 0 {
		t.Errorf("%d run on", n)
	}
	h := newHub(t, b, nil)
	short := follow(t, h.Feed("a"), "")
	b.publish(t, "a", "1")
	id = want(t, short, "1")
	short.Close()
	until(t, "nobody is subscribed", func() bool { n, _ := b.count("a"); return n == 0 && h.Stats().Keys == 0 })
	b.mu.Lock()
	b.first = "4"
	b.mu.Unlock()
	want(t, follow(t, h.Feed("a"), id), "!4") // an id of before is of another time
}

func TestResume(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, func(o *stream.HubOptions[string]) {
		o.Bytes = func(v string) int {
			if v == "large" {
				return 64<<10 - 1
			}
			return len(v)
		}
	})
	f := follow(t, h.Feed("a"), "")
	ids := []string{""}
	for i := range 70 {
		b.publish(t, "a", fmt.Sprint(i+1))
		ids = append(ids, want(t, f, fmt.Sprint(i+1)))
	}
	all := func(from, to int) (values []string) {
		for i := from; i <= to; i++ {
			values = append(values, fmt.Sprint(i))
		}
		return values
	}
	cases := []struct {
		name, after string
		want        []string
	}{
		{"nothing", "", all(70, 70)},
		{"the last", ids[70], nil},
		{"one before", ids[69], all(70, 70)},
		{"all that is remembered", ids[6], all(7, 70)},
		{"one too old", ids[5], []string{"!70"}},
		{"the first", ids[1], []string{"!70"}},
		{"one to come", strings.Replace(ids[70], "-70", "-71", 1), []string{"!70"}},
		{"of another process", "0" + ids[70], []string{"!70"}},
		{"no number", strings.Replace(ids[70], "-70", "-", 1), []string{"!70"}},
		{"nonsense", "☃", []string{"!70"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { want(t, follow(t, h.Feed("a"), c.after), c.want...) })
	}
	b.publish(t, "a", "large", "-")
	want(t, follow(t, h.Feed("a"), ids[70]), "large", "-")
	want(t, follow(t, h.Feed("a"), ids[69]), "!-")
	if f := follow(t, h.Feed("b"), ids[70]); f != nil { // of another key, that has nothing yet
		b.publish(t, "b", "x")
		want(t, f, "!x")
	}
}

func TestWhoFallsBehind(t *testing.T) {
	t.Parallel()
	for _, state := range []bool{true, false} {
		t.Run(fmt.Sprintf("state=%v", state), func(t *testing.T) {
			t.Parallel()
			b := newBroker()
			h := newHub(t, b, func(o *stream.HubOptions[string]) { o.State = state })
			f := follow(t, h.Feed("a"), "")
			b.publish(t, "a", "1")
			want(t, f, "1")
			for i := range 66 {
				b.publish(t, "a", fmt.Sprint(i+2))
			}
			if state {
				want(t, f, "!67")
				b.publish(t, "a", "68")
				want(t, f, "68")
				return
			}
			if item, ok, err := f.Next(); ok || fault.CodeOf(err) != fault.Limited {
				t.Errorf("%v, %v, %v; want to be refused", item, ok, err)
			}
		})
	}
}

func TestALostUpstreamIsOpenedAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []bool{true, false} {
		t.Run(fmt.Sprintf("state=%v", state), func(t *testing.T) {
			t.Parallel()
			b := newBroker()
			h := newHub(t, b, func(o *stream.HubOptions[string]) { o.State = state })
			f := follow(t, h.Feed("a"), "")
			b.publish(t, "a", "1")
			want(t, f, "1")
			b.lose(errors.New("gone"))
			until(t, "it is tried again", func() bool { _, opens := b.count("a"); return opens >= 3 })
			want(t, f) // it is quiet
			b.lose(nil)
			b.publish(t, "a", "2", "3")
			if state { // the last one is right, whatever was before
				want(t, f, "2", "3")
			} else {
				want(t, f, "!2", "3")
			}
			if s := h.Stats(); s.Failures < 3 || s.Opens < 4 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestAnUpstreamThatNeverTells(t *testing.T) {
	t.Parallel()
	b := newBroker()
	b.fail = fault.New(fault.NotFound, "no such thing")
	h := newHub(t, b, nil)
	for range 2 {
		f := follow(t, h.Feed("a"), "")
		if _, err := next(f); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%v, want what open has said", err)
		}
		f.Close()
	}
	if _, opens := b.count("a"); opens != 2 {
		t.Errorf("%d opens, want one for each who asked", opens)
	}
	if s := h.Stats(); s.Keys != 0 || s.Followers != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestAPanicOfAnUpstream(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(stream.HubOptions[int]{}, func(context.Context, string, func(int)) error { panic("a defect") })
	defer h.Close()
	if _, err := next(follow(t, h.Feed("a"), "")); fault.ReasonOf(err) != fault.ReasonPanic {
		t.Errorf("%v, want the panic", err)
	}
}

func TestBoundsOfAHub(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, func(o *stream.HubOptions[string]) {
		o.Keys, o.Followers, o.Bytes = 2, 3, func(v string) int { return len(v) }
	})
	f := follow(t, h.Feed("a"), "")
	follow(t, h.Feed("b"), "")
	if _, err := h.Feed("c").Follow(""); fault.CodeOf(err) != fault.Limited {
		t.Errorf("a third key: %v", err)
	}
	last := follow(t, h.Feed("b"), "")
	if _, err := h.Feed("b").Follow(""); fault.CodeOf(err) != fault.Limited {
		t.Errorf("a fourth follower: %v", err)
	}
	last.Close()
	follow(t, h.Feed("b"), "")
	b.publish(t, "a", strings.Repeat("x", 64<<10+1), "small")
	want(t, f, "small")
	if s := h.Stats(); s.Refused != 1 || s.Events != 1 {
		t.Errorf("stats %+v", s)
	}
}

// TestUpstreamsBeginInTurn: few at once, though all were lost at once; one that tells
// nothing does not hold up the others for long, nor one that ends meanwhile.
func TestUpstreamsBeginInTurn(t *testing.T) {
	t.Parallel()
	const keys, atOnce = 20, 3
	var mu sync.Mutex
	begins, most, opened := 0, 0, 0
	enter := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		begins += n
		most = max(most, begins)
	}
	lost := make(chan struct{})
	h := stream.NewHub(stream.HubOptions[string]{State: true, Opens: atOnce},
		func(ctx context.Context, key int, told func(string)) error {
			if key == 0 {
				<-ctx.Done() // it never tells anything
				return nil
			}
			enter(1)
			for range 10 {
				runtime.Gosched() // what it asks for first
			}
			enter(-1)
			told("x")
			mu.Lock()
			opened++
			ended := lost
			mu.Unlock()
			select {
			case <-ctx.Done():
			case <-ended:
			}
			return nil
		})
	for key := range keys {
		follow(t, h.Feed(key), "")
	}
	all := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return opened == n }
	}
	until(t, "all are open", all(keys-1))
	mu.Lock()
	close(lost)
	lost = make(chan struct{})
	mu.Unlock()
	until(t, "all are open again", all(2*(keys-1)))
	if mu.Lock(); most > atOnce {
		t.Errorf("%d began at once, want %d", most, atOnce)
	}
	mu.Unlock()
	if n := h.Close(); n != 0 {
		t.Errorf("%d run on", n)
	}
}

func TestAClosedHub(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, nil)
	f := follow(t, h.Feed("a"), "")
	b.publish(t, "a", "1")
	if n := h.Close(); n != 0 {
		t.Fatalf("%d run on", n)
	}
	if item, err := next(f); err != nil || item.Value != "1" {
		t.Errorf("%v, %v; want what had come", item, err)
	}
	if _, err := next(f); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("then %v", err)
	}
	if _, err := h.Feed("b").Follow(""); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a new one: %v", err)
	}
	if n, _ := b.count("a"); n != 0 {
		t.Error("it is subscribed still")
	}
}

func TestFeedsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	double := stream.NewShape(func(n int) (int, error) { return 2 * n, nil })
	var zero stream.Feed[int]
	cases := []struct {
		feed stream.Feed[int]
		code fault.Code
	}{
		{zero, fault.Internal},
		{double.Of(zero), fault.Internal},
		{stream.NoFeed[int](fault.New(fault.Unavailable, "")), fault.Unavailable},
		{double.Of(stream.NoFeed[int](fault.New(fault.Forbidden, ""))), fault.Forbidden},
	}
	for _, c := range cases {
		if f, err := c.feed.Follow(""); f != nil || fault.CodeOf(err) != c.code {
			t.Errorf("%v, %v; want %v", f, err, c.code)
		}
	}
}

func TestAShapeIsMadeOnceForAll(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, nil)
	var made atomic.Int32
	loud := stream.NewShape(func(v string) (string, error) { made.Add(1); return v + "!", nil })
	long := stream.NewShape(func(v string) (string, error) { return strings.Repeat(v, 2), nil })
	length := stream.NewShape(func(v string) (int, error) { return len(v), nil })
	var all sync.WaitGroup
	begun := follow(t, h.Feed("a"), "")
	b.publish(t, "a", "1", "2", "3")
	want(t, begun, "1", "2", "3")
	id := want(t, follow(t, loud.Of(h.Feed("a")), ""), "3!")
	for range 50 {
		f := follow(t, length.Of(long.Of(loud.Of(h.Feed("a")))), "")
		all.Go(func() {
			if item, err := next(f); err != nil || item.Value != 4 || item.ID != id {
				t.Errorf("%v, %v", item, err)
			}
		})
	}
	all.Wait()
	want(t, follow(t, length.Of(loud.Of(h.Feed("a"))), ""), "2") // the same shape of another one
	if n := made.Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
}

func TestAShapeThatFails(t *testing.T) {
	t.Parallel()
	b := newBroker()
	h := newHub(t, b, nil)
	odd := stream.NewShape(func(v string) (string, error) {
		switch v {
		case "error":
			return "", fault.New(fault.BadAnswer, "odd")
		case "panic":
			panic("a defect")
		}
		return v, nil
	})
	again := stream.NewShape(func(v string) (string, error) { return v + v, nil })
	f := follow(t, again.Of(odd.Of(h.Feed("a"))), "")
	b.publish(t, "a", "error", "panic", "x")
	if _, err := next(f); fault.CodeOf(err) != fault.BadAnswer {
		t.Errorf("an error: %v", err)
	}
	if _, err := next(f); fault.ReasonOf(err) != fault.ReasonPanic {
		t.Errorf("a panic: %v", err)
	}
	want(t, f, "xx")
}

// BenchmarkTell tells a value to 10,000 who follow, each of which takes it in one shape.
func BenchmarkTell(b *testing.B) {
	const followers = 10_000
	upstream := newBroker()
	h := newHub(b, upstream, func(o *stream.HubOptions[string]) { o.Bytes = func(v string) int { return len(v) } })
	shape := stream.NewShape(func(v string) ([]byte, error) { return []byte(v), nil })
	all := make([]*stream.Follower[[]byte], followers)
	b.ReportAllocs()
	for i := range all {
		all[i] = follow(b, shape.Of(h.Feed("a")), "")
	}
	for b.Loop() {
		upstream.publish(b, "a", "value")
		for _, f := range all {
			if _, ok, err := f.Next(); !ok || err != nil {
				b.Fatal(err)
			}
		}
	}
}
