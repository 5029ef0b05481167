package grpc_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

func TestMetadata(t *testing.T) {
	seen := make(chan metadata.MD, 1)
	deadlines := make(chan bool, 1)
	s := serve(t, func(stream rpc.ServerStream, text string) error {
		md, _ := metadata.FromIncomingContext(stream.Context())
		_, limited := stream.Context().Deadline()
		seen <- md
		deadlines <- limited
		return echo(stream, text)
	})
	client := clientOf(t, s.address)
	timed, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	called, call := withCall(timed)
	odd := report.WithCall(t.Context(), report.New("a\r\nb", report.NewTrace()).Begin("x"))
	common := []string{":authority", "content-type", "traceparent", "user-agent"}
	parents := map[string]bool{}
	cases := []struct {
		name string
		ctx  context.Context
		more []string
	}{
		{"bare", t.Context(), nil},
		{"with a deadline", timed, []string{"x-request-timeout-ms"}},
		{"of a call", called, []string{"x-request-timeout-ms", "x-request-id"}},
		{"a request id that is none", odd, nil},
		{"metadata of the caller", metadata.AppendToOutgoingContext(t.Context(), "authorization", "hunter2"), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := say(c.ctx, client, "a"); err != nil {
				t.Fatal(err)
			}
			md := <-seen
			if !<-deadlines {
				t.Error("the server knows no deadline")
			}
			var names []string
			for name := range md {
				names = append(names, name)
			}
			want := slices.Concat(common, c.more)
			slices.Sort(names)
			slices.Sort(want)
			if !slices.Equal(names, want) {
				t.Errorf("metadata %v, want %v", names, want)
			}
			checkMetadata(t, md, call.Request())
			parents[first(md, "traceparent")] = true
		})
	}
	if len(parents) != len(cases) {
		t.Errorf("%d parent ids in %d calls", len(parents), len(cases))
	}
}

func first(md metadata.MD, name string) string { return strings.Join(md.Get(name), "|") }

func checkMetadata(t *testing.T, md metadata.MD, request *report.Report) {
	t.Helper()
	for name, form := range map[string]string{
		"traceparent":          "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]$",
		"x-request-id":         "^(req-7)?$",
		"x-request-timeout-ms": "^(5[0-9]{4}|60000)?$",
		"user-agent":           "^facet grpc-go/",
	} {
		if !regexp.MustCompile(form).MatchString(first(md, name)) {
			t.Errorf("%s: %q", name, first(md, name))
		}
	}
	if first(md, "x-request-id") != "" && !strings.Contains(first(md, "traceparent"), request.Trace.String()) {
		t.Errorf("traceparent %s is not of trace %s", first(md, "traceparent"), request.Trace)
	}
}

func TestCallIsRecorded(t *testing.T) {
	s := serve(t, echo)
	client := clientOf(t, s.address)
	ctx, call := withCall(t.Context())
	for n, text := range []string{"hello", "hello, world"} {
		if _, err := say(ctx, client, text); err != nil {
			t.Fatal(err)
		}
		if call.Attempts != n+1 || call.Bytes != len(text)+2 || call.Caching.MaxAge != report.Unlimited {
			t.Errorf("call %d: got %d attempts, %d bytes, %+v", n, call.Attempts, call.Bytes, call.Caching)
		}
	}
}

func TestConnectionIsShared(t *testing.T) {
	s := serve(t, echo)
	client := clientOf(t, s.address)
	var callers sync.WaitGroup
	for i := range 200 {
		callers.Go(func() {
			want := fmt.Sprint("text ", i)
			if got, err := say(t.Context(), client, want); err != nil || got != want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	callers.Wait()
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections for calls to one instance", n)
	}
}

// TestAttemptsOfACommandGoToDifferentInstances, and there are no more of them than instances.
func TestAttemptsOfACommandGoToDifferentInstances(t *testing.T) {
	const instances = 3
	bases := make([]string, instances)
	for i := range bases {
		bases[i] = "grpc://" + serve(t, func(stream rpc.ServerStream, _ string) error { return echo(stream, fmt.Sprint(i)) }).address
	}
	client := newClient(t, grpc.Options{Instances: bases})
	for range 20 {
		ctx, call := withCall(t.Context())
		call.Spread = &report.Spread{}
		seen := map[string]bool{}
		for range instances {
			who, err := say(ctx, client, "")
			if err != nil || seen[who] {
				t.Fatalf("%q a second time, or %v", who, err)
			}
			seen[who] = true
		}
		_, err := say(ctx, client, "")
		if !errors.Is(err, report.ErrNoOther) || fault.CodeOf(err) != fault.Unavailable || call.Attempts != instances {
			t.Fatalf("%v after %d attempts", err, call.Attempts)
		}
	}
}

// TestCallsThatAreNone ask nobody.
func TestCallsThatAreNone(t *testing.T) {
	s := serve(t, echo)
	client := clientOf(t, s.address)
	ctx, call := withCall(t.Context())
	var reply wrapperspb.StringValue
	for name, args := range map[string]any{"no message": 7, "no UTF-8": wrapperspb.String("\xff"), "nothing": nil} {
		if err := client.Invoke(ctx, method, args, &reply); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := client.NewStream(ctx, &rpc.StreamDesc{ServerStreams: true}, method); fault.CodeOf(err) != fault.Internal {
		t.Errorf("a stream: got %v", err)
	}
	if call.Attempts != 0 || s.conns.Load() != 0 {
		t.Errorf("%d attempts on %d connections", call.Attempts, s.conns.Load())
	}
}

// TestInstancesThatAreFoundLater: without any a call fails at once, and says so.
func TestInstancesThatAreFoundLater(t *testing.T) {
	s := serve(t, echo)
	client := newClient(t, grpc.Options{})
	if _, err := say(t.Context(), client, "a"); fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, balance.ErrNoInstance) {
		t.Errorf("without an instance: %v", err)
	}
	if err := client.Update([]discovery.Instance{{Address: s.address, Path: "/shop"}}); err == nil {
		t.Error("an instance with a path is taken")
	}
	if err := client.Update([]discovery.Instance{{Address: s.address}}); err != nil {
		t.Fatal(err)
	}
	if got, err := say(t.Context(), client, "a"); err != nil || got != "a" {
		t.Errorf("with one: %v, %v", got, err)
	}
}

// TestWhoIsBlamed: instances that answer are not, whatever they answer, nor those that
// had no time to.
func TestWhoIsBlamed(t *testing.T) {
	s := serve(t, func(stream rpc.ServerStream, text string) error {
		switch text {
		case "hang":
			<-stream.Context().Done()
			return nil
		case "refuse":
			return status.Error(codes.InvalidArgument, "no")
		case "none":
			return status.Error(codes.NotFound, "no")
		case "fail":
			return status.Error(codes.Internal, "no")
		}
		return echo(stream, text)
	})
	client := clientOf(t, s.address)
	for _, c := range []struct {
		text   string
		within time.Duration
		faults int
	}{
		{"a", time.Minute, 0},
		{"refuse", time.Minute, 0},
		{"none", time.Minute, 0},
		{"hang", 10 * time.Millisecond, 0},
		{"fail", time.Minute, 1},
		{"hang", time.Second, 2},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), c.within)
		_, _ = say(ctx, client, c.text) // what it comes to is another test's
		cancel()
		if got := client.Status()[0].Faults; got != c.faults {
			t.Errorf("after %q within %v it has %d faults, want %d", c.text, c.within, got, c.faults)
		}
	}
}

func TestHealthChecks(t *testing.T) {
	sick, well := serve(t, echo), serve(t, echo)
	o := balance.DefaultOptions()
	o.Policy, o.PanicPercent = balance.RoundRobin, 0
	o.Check = &balance.Check{Interval: 100 * time.Millisecond, Timeout: 50 * time.Millisecond, Healthy: 1, Unhealthy: 1}
	client := newClient(t, grpc.Options{Instances: []string{"grpc://" + sick.address, "grpc://" + well.address}, Balance: o, Health: "cart"})
	sick.health.SetServingStatus("cart", 1)
	well.health.SetServingStatus("cart", 1)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { client.Run(ctx) })
	defer running.Wait()
	defer cancel()
	state := func(want balance.State, why string) func() bool {
		return func() bool {
			of := client.Status()
			return of[0].State == want && strings.Contains(of[0].Check, why) &&
				of[1].State != balance.Unhealthy // it warms up if a check of it was late
		}
	}
	sick.health.SetServingStatus("cart", 2)
	soon(t, "what does not serve is out, and why", state(balance.Unhealthy, "NOT_SERVING"))
	sick.health.SetServingStatus("cart", 1)
	soon(t, "what serves again is in", func() bool { return client.Status()[0].State != balance.Unhealthy })
	sick.stop()
	soon(t, "what is gone is out", state(balance.Unhealthy, ""))
}
