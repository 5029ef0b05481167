package zmq_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
)

// TestTopicsAreExact: none gets what is of another that begins with it.
func TestTopicsAreExact(t *testing.T) {
	t.Parallel()
	p := publish(t, "127.0.0.1:0")
	c := newClient(t, zmq.Options{Publishers: []string{p.url()}})
	topics := []string{"stock.p-1", "stock.p-10", "stock.p-", "stock.p-1"}
	var all []*follower
	for _, topic := range topics {
		all = append(all, follow(t, c, topic))
	}
	soon(t, "all are subscribed to", func() bool {
		return !slices.ContainsFunc(all, func(f *follower) bool { return f.begun.Load() == 0 })
	})
	for n := range 10 {
		for i, topic := range []string{"stock.p-1", "stock.p-10", "stock.p-", "stock.p-100", "stock.", "", "other"} {
			p.Publish(topic, fmt.Append(nil, n*10+i))
		}
	}
	for i, want := range []int64{90, 91, 92, 90} {
		soon(t, "the last one has come", func() bool { return all[i].last.Load() == want })
		if got := all[i].told.Load(); got != 10 {
			t.Errorf("%s: %d were told, want 10", topics[i], got)
		}
	}
	for _, f := range all {
		f.end()
		if n := f.begun.Load(); n != 1 {
			t.Errorf("it began %d times", n)
		}
	}
}

// TestSubscribedInTime: what is published once it is subscribed is told, and after what
// subscribed does; its error ends the subscription.
func TestSubscribedInTime(t *testing.T) {
	t.Parallel()
	p := publish(t, "127.0.0.1:0")
	c := newClient(t, zmq.Options{Publishers: []string{p.url()}})
	own := errors.New("the test's own reason")
	for range 5 {
		ctx, cancel := context.WithCancelCause(t.Context())
		begun, told := false, 0
		err := zmq.Subscribe(ctx, c, "p-1", func() error {
			for range 100 {
				p.Publish("p-1", []byte("1"))
			}
			begun = true
			return nil
		}, func([]byte, uint64) {
			if told++; !begun {
				t.Error("it was told before it had begun")
			}
			cancel(own)
		})
		if !errors.Is(err, own) || !errors.Is(err, context.Canceled) || told != 1 {
			t.Fatalf("%d were told, and it ended with %v", told, err)
		}
	}
	if err := zmq.Subscribe(t.Context(), c, "p-1", func() error { return own }, nil); !errors.Is(err, own) {
		t.Errorf("ended with %v", err)
	}
}

// TestSubscriptionIsGivenTime: no publisher says when one is in force, and some take a
// while.
func TestSubscriptionIsGivenTime(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64 // when
	address := serveRaw(t, func(nc net.Conn) {
		c, err := zmtp.AcceptPub(t.Context(), nc, zmtp.Limits{Message: 1 << 10, Frames: 1, Shake: long, Write: long})
		if err != nil {
			return
		}
		if m, err := c.Receive(); err == nil && string(m[0]) == "\x01p-1" {
			asked.Store(time.Now().UnixNano())
		}
		_, _ = c.Receive()
	})
	c := newClient(t, zmq.Options{Publishers: []string{"tcp://" + address}})
	soon(t, "it is there", func() bool { return c.Publishers()[0].State == balance.In })
	own := errors.New("the test's own reason")
	err := zmq.Subscribe(t.Context(), c, "p-1", func() error {
		if at := asked.Load(); at == 0 || time.Since(time.Unix(0, at)) < 50*time.Millisecond {
			t.Errorf("it was asked at %d, just before", at)
		}
		return own
	}, nil)
	if !errors.Is(err, own) {
		t.Errorf("ended with %v", err)
	}
}

func TestSubscribeToNobody(t *testing.T) {
	t.Parallel()
	closed := newClient(t, zmq.Options{Publishers: []string{publish(t, "127.0.0.1:0").url()}})
	closed.Close()
	for name, row := range map[string]struct {
		client *zmq.Client
		topic  string
		code   fault.Code
		why    string
	}{
		"no publisher":    {newClient(t, zmq.Options{}), "p-1", fault.Unavailable, "no publisher"},
		"one that is not": {newClient(t, zmq.Options{Publishers: []string{"tcp://" + free(t)}}), "p-1", fault.Unavailable, "refused"},
		"a closed client": {closed, "p-1", fault.Unavailable, "closed"},
		"no topic":        {closed, "", fault.Internal, "topic"},
		"a long topic":    {closed, strings.Repeat("x", 256), fault.Internal, "topic"},
	} {
		err := zmq.Subscribe(t.Context(), row.client, row.topic, nil, nil)
		if fault.CodeOf(err) != row.code || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSubscriptionEnds with its context and with the client, whatever it waits for.
func TestSubscriptionEnds(t *testing.T) {
	t.Parallel()
	own := errors.New("the test's own reason")
	silent := serveRaw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) // it does not even shake hands
	for name, url := range map[string]string{"told nothing": publish(t, "127.0.0.1:0").url(), "not even begun": "tcp://" + silent} {
		for _, how := range []string{"context", "client"} {
			c := newClient(t, zmq.Options{Publishers: []string{url}, DialTimeout: long})
			ctx, cancel := context.WithCancelCause(t.Context())
			end := make(chan error, 1)
			go func() { end <- zmq.Subscribe(ctx, c, "p-1", func() error { return nil }, nil) }()
			time.AfterFunc(150*time.Millisecond, func() {
				if how == "context" {
					cancel(own)
				} else {
					c.Close()
				}
			})
			select {
			case err := <-end:
				if how == "context" && !errors.Is(err, own) || how == "client" && fault.CodeOf(err) != fault.Unavailable {
					t.Errorf("%s: ended by the %s with %v", name, how, err)
				}
			case <-time.After(long / 2):
				t.Errorf("%s: it does not end with the %s", name, how)
			}
			cancel(nil)
		}
	}
}

// TestAllPublishers are subscribed to, and a subscription holds for those that were there:
// it ends when one goes, and when it comes back.
func TestAllPublishers(t *testing.T) {
	t.Parallel()
	var all []*pub
	var urls []string
	for range 3 {
		p := publish(t, "127.0.0.1:0")
		all, urls = append(all, p), append(urls, p.url())
	}
	c := newClient(t, zmq.Options{Publishers: urls})
	f := follow(t, c, "p-1")
	begins := func(n int64) {
		t.Helper()
		soon(t, "it is subscribed to", func() bool { return f.begun.Load() >= n })
	}
	n := 0
	tells := func(some []*pub) {
		t.Helper()
		for _, p := range some {
			n++
			if sent := p.Publish("p-1", fmt.Append(nil, n)); sent != 1 {
				t.Fatalf("%d have subscribed", sent)
			}
			soon(t, "it is told", func() bool { return f.last.Load() == int64(n) })
		}
	}
	begins(1)
	tells(all)
	all[1].kill()
	begins(2)
	tells([]*pub{all[0], all[2]})
	if s := c.Publishers(); len(s) != 3 || !slices.ContainsFunc(s, func(one balance.Status) bool {
		return one.Address == all[1].address && one.State == balance.Out && one.Check != ""
	}) {
		t.Errorf("it is told %+v", s)
	}
	all[1] = publish(t, all[1].address)
	begins(3)
	tells(all)
	for _, one := range c.Publishers() {
		if one.State != balance.In || one.Check != "" {
			t.Errorf("it is told %+v", one)
		}
	}
	f.end()
	if n := f.begun.Load(); n != 3 || f.lost.Load() != 0 {
		t.Errorf("it began %d times, and %d were lost", n, f.lost.Load())
	}
}

// TestPublishersOfInstances are at a port of each instance's host, and come and go with
// the instances.
func TestPublishersOfInstances(t *testing.T) {
	t.Parallel()
	p := publish(t, "127.0.0.1:0")
	port := 0
	if _, err := fmt.Sscanf(p.address, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, zmq.Options{PublisherPort: port})
	if err := zmq.Subscribe(t.Context(), c, "p-1", nil, nil); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("without an instance: %v", err)
	}
	one, two := serve(t, "127.0.0.1:0", echo), serve(t, "127.0.0.1:0", echo)
	update := func(all ...*peer) {
		t.Helper()
		var list []discovery.Instance
		for _, one := range all {
			list = append(list, discovery.Instance{Address: one.address})
		}
		if err := c.Update(list); err != nil {
			t.Fatal(err)
		}
	}
	update(one, two) // which share a publisher
	f := follow(t, c, "p-1")
	soon(t, "it is subscribed to", func() bool { return f.begun.Load() == 1 })
	update(two)
	if p.Publish("p-1", []byte("1")) != 1 {
		t.Error("it was left with the first of its instances")
	}
	soon(t, "it is told", func() bool { return f.last.Load() == 1 })
	if err := c.Update([]discovery.Instance{{Address: "localhost" + strings.TrimPrefix(two.address, "127.0.0.1")}}); err != nil {
		t.Fatal(err)
	}
	soon(t, "it is of another host", func() bool { s := c.Publishers(); return len(s) == 1 && strings.HasPrefix(s[0].Address, "localhost:") })
	soon(t, "it is subscribed to there", func() bool { return f.begun.Load() == 2 })
	soon(t, "the other is left", func() bool { return p.Publish("p-1", []byte("2")) == 1 })
}

// TestSlowSubscriberLosesTheOldest, is told how many, and holds up no other and no call.
func TestSlowSubscriberLosesTheOldest(t *testing.T) {
	t.Parallel()
	const messages, kept = 1000, 16
	p := publish(t, "127.0.0.1:0")
	c := newClient(t, zmq.Options{
		Instances: []string{serve(t, "127.0.0.1:0", echo).url()}, Publishers: []string{p.url()}, InboxMessages: kept,
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entered, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	var got []string
	var lost uint64
	go func() {
		begin := func() error { p.Publish("p-1", []byte("0")); return nil }
		ended <- zmq.Subscribe(ctx, c, "p-1", begin, func(body []byte, missed uint64) {
			if got = append(got, string(body)); len(got) == 1 {
				close(entered)
				<-goOn
			}
			if lost += missed; string(body) == fmt.Sprint(messages) {
				cancel()
			}
		})
	}()
	other := follow(t, c, "p-2")
	<-entered
	soon(t, "another is subscribed to", func() bool { return other.begun.Load() == 1 })
	for n := 1; n <= messages; n++ {
		p.Publish("p-1", fmt.Append(nil, n))
	}
	p.Publish("p-2", []byte("7"))
	soon(t, "another is told", func() bool { return other.last.Load() == 7 })
	if _, err := ask(ctx, c, "echo"); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
	close(goOn)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if last := got[len(got)-1]; last != fmt.Sprint(messages) || len(got) != kept+1 || lost != messages-kept || lost != c.Stats().Lost {
		t.Errorf("got %v, lost %d of %d", got, lost, c.Stats().Lost)
	}
}

// TestMessagesThatAreNone are counted as lost, and the others are told.
func TestMessagesThatAreNone(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	address := serveRaw(t, shaken(func(c net.Conn) {
		<-goOn
		for _, m := range [][]string{
			{"p-1"}, {"p-1", "1", "1"}, {"p-1", strings.Repeat("x", 1<<20)}, {"p-1", strings.Repeat("x", 600)}, // are counted
			{""}, {"", "1"}, {strings.Repeat("p-1", 1<<20), "1"}, {"p-10", "1"}, {"p-", strings.Repeat("x", 1<<20)}, // are nobody's
			{"p-1", "7"},
		} {
			_, _ = io.WriteString(c, published(m...))
		}
		_, _ = io.Copy(io.Discard, c)
	}))
	c := newClient(t, zmq.Options{Publishers: []string{"tcp://" + address}, MaxBody: 1000, InboxBytes: 500})
	f := follow(t, c, "p-1")
	soon(t, "it is subscribed to", func() bool { return f.begun.Load() == 1 })
	close(goOn)
	soon(t, "the good one is told", func() bool { return f.last.Load() == 7 })
	if f.told.Load() != 1 || f.lost.Load() != 4 || c.Stats().Lost != 4 {
		t.Errorf("%d were told, %d lost of %d", f.told.Load(), f.lost.Load(), c.Stats().Lost)
	}
}

// TestHostilePublishers are connected to anew, and do not keep a good one's changes from
// being told, in order and within 5 s.
func TestHostilePublishers(t *testing.T) {
	t.Parallel()
	flood := func(m string) func(net.Conn) {
		return func(c net.Conn) {
			block := []byte(strings.Repeat(m, 1+(64<<10)/len(m)))
			for {
				if _, err := c.Write(block); err != nil {
					return
				}
			}
		}
	}
	says := func(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }
	for name, row := range map[string]struct {
		does  func(net.Conn)
		again bool // it is connected to again and again
	}{
		"closes at once":         {func(net.Conn) {}, true},
		"is no PUB":              {says(strings.Replace(greeting(), "\x03PUB", "\x03REP", 1)), true},
		"rude":                   {says("HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("x", 64)), true},
		"leaves after hello":     {shaken(func(net.Conn) {}), true},
		"garbage":                {shaken(says("\xff\xfe\xfd\xfc" + strings.Repeat("\xaa", 100))), true},
		"a frame of 2^62 bytes":  {shaken(says(published("p-1")[:1] + "\x40\x00\x00\x00\x00\x00\x00\x00")), true},
		"frames without end":     {shaken(flood("\x01\x00")), true},
		"hung":                   {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, true},
		"a flood of others":      {shaken(flood(published("p-2", "0"))), false},
		"a flood of near topics": {shaken(flood(published("p-10", "0"))), false},
		"a flood of large ones":  {shaken(flood(published("p-1", strings.Repeat("x", 100<<10)))), false},
		"one that takes nothing": {shaken(func(net.Conn) { time.Sleep(long / 4) }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			address := serveRaw(t, func(c net.Conn) {
				tries.Add(1)
				row.does(c)
			})
			good := publish(t, "127.0.0.1:0")
			c := newClient(t, zmq.Options{
				Publishers: []string{"tcp://" + address, good.url()}, MaxBody: 10 << 10, DialTimeout: 200 * time.Millisecond,
			})
			f := follow(t, c, "p-1")
			for n := int64(1); n <= 3; n++ {
				began := time.Now()
				soon(t, "the good one's is told", func() bool {
					good.Publish("p-1", fmt.Append(nil, n))
					return f.last.Load() == n
				})
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("that took %v", took)
				}
			}
			if row.again {
				soon(t, "it is tried again", func() bool { return tries.Load() > 2 })
			} else if n := tries.Load(); n != 1 {
				t.Errorf("it was connected to %d times", n)
			}
		})
	}
}

// TestFloodHidesNoLoss: that a publisher has gone is noticed while another one floods.
func TestFloodHidesNoLoss(t *testing.T) {
	t.Parallel()
	message := []byte(strings.Repeat(published("p-1", "1"), 100))
	address := serveRaw(t, shaken(func(c net.Conn) {
		for {
			if _, err := c.Write(message); err != nil {
				return
			}
		}
	}))
	good := publish(t, "127.0.0.1:0")
	c := newClient(t, zmq.Options{Publishers: []string{"tcp://" + address, good.url()}})
	ctx, cancel := context.WithTimeout(t.Context(), long/4)
	defer cancel()
	err := zmq.Subscribe(ctx, c, "p-1", func() error { good.kill(); return nil }, func([]byte, uint64) {
		time.Sleep(time.Millisecond) // it is slower than the flood
	})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("it ended with %v", err)
	}
}

// TestFloodIsBounded: what comes faster than it is taken costs no memory, and is counted.
func TestFloodIsBounded(t *testing.T) {
	const size = 10 << 10
	var sent atomic.Int64
	message := []byte(published("p-1", strings.Repeat("1", size)))
	goOn := make(chan struct{})
	address := serveRaw(t, shaken(func(c net.Conn) {
		<-goOn
		for sent.Load() < 20_000 {
			if _, err := c.Write(message); err != nil {
				return
			}
			sent.Add(1)
		}
		_, _ = io.Copy(io.Discard, c)
	}))
	c := newClient(t, zmq.Options{Publishers: []string{"tcp://" + address}, InboxMessages: 1000, InboxBytes: 1 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entered, rest, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	told, lost := 0, uint64(0)
	go func() {
		begin := func() error { close(goOn); return nil }
		ended <- zmq.Subscribe(ctx, c, "p-1", begin, func(_ []byte, missed uint64) {
			if told++; told == 1 {
				close(entered)
				<-rest
			}
			if lost += missed; uint64(told)+lost == 20_000 { //nolint:gosec // few
				cancel()
			}
		})
	}()
	<-entered
	before := heap()
	soon(t, "all has come", func() bool { return c.Stats().Lost > 20_000-200 })
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	close(rest)
	if err := <-ended; !errors.Is(err, context.Canceled) || told > 200 || lost != c.Stats().Lost {
		t.Errorf("%d told, %d lost of %d, ended with %v", told, lost, c.Stats().Lost, err)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // less than 2^63
}

// TestKilledAndBackWhileFollowed, again and again, with what is subscribed to and left
// meanwhile: it is told again within 5 s of the publisher's return.
func TestKilledAndBackWhileFollowed(t *testing.T) {
	t.Parallel()
	p := publish(t, "127.0.0.1:0")
	c := newClient(t, zmq.Options{Publishers: []string{p.url()}})
	f := follow(t, c, "p-1")
	ctx, stop := context.WithCancel(t.Context())
	var churn sync.WaitGroup
	for i := range 8 {
		churn.Go(func() {
			for ctx.Err() == nil {
				within, cancel := context.WithTimeout(ctx, time.Duration(i*10)*time.Millisecond)
				_ = zmq.Subscribe(within, c, fmt.Sprint("p-1", i%4), func() error { return nil }, nil)
				cancel()
			}
		})
	}
	for n := int64(1); n <= 3; n++ {
		began := time.Now()
		soon(t, "it is told", func() bool { p.Publish("p-1", fmt.Append(nil, n)); return f.last.Load() == n })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("back after %v", took)
		}
		begun := f.begun.Load()
		p.kill()
		soon(t, "it is out", func() bool { return c.Publishers()[0].State == balance.Out })
		if err := zmq.Subscribe(t.Context(), c, "p-1", nil, nil); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("meanwhile: %v", err)
		}
		if f.begun.Load() != begun {
			t.Error("it has begun without a publisher")
		}
		p = publish(t, p.address)
	}
	stop()
	churn.Wait()
}

// TestWhatIsLeft is asked for no more, whoever came and went in the meantime: at the end a
// publisher has been asked as often as it was left.
func TestWhatIsLeft(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked, wrong := map[string]bool{}, 0
	address := serveRaw(t, func(nc net.Conn) {
		c, err := zmtp.AcceptPub(t.Context(), nc, zmtp.Limits{Message: 1 << 10, Frames: 1, Shake: long, Write: long})
		if err != nil {
			return
		}
		for {
			m, err := c.Receive()
			if err != nil {
				return
			}
			mu.Lock()
			topic, asks := string(m[0][1:]), m[0][0] == 1
			if asked[topic] == asks {
				wrong++ // it is asked for twice, or left twice
			}
			asked[topic] = asks
			mu.Unlock()
		}
	})
	c := newClient(t, zmq.Options{Publishers: []string{"tcp://" + address}})
	soon(t, "it is there", func() bool { return c.Publishers()[0].State == balance.In })
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i+n)%5)*time.Millisecond)
				_ = zmq.Subscribe(ctx, c, fmt.Sprint("p-", i%3), func() error { return nil }, nil)
				cancel()
			}
		})
	}
	running.Wait()
	f := follow(t, c, "p-0")
	soon(t, "one is followed", func() bool { return f.begun.Load() == 1 })
	soon(t, "no other is asked for", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return asked["p-0"] && !asked["p-1"] && !asked["p-2"] && len(asked) == 3
	})
	if wrong > 0 {
		t.Errorf("%d times without need", wrong)
	}
}
