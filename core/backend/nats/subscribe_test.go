package nats_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/fault"
)

// TestNothingIsToldAfterItsEnd, even if more has come already.
func TestNothingIsToldAfterItsEnd(t *testing.T) {
	t.Parallel()
	const messages = 100
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	c := newClient(t, nats.Options{Servers: []string{url}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := 0
	err := nats.Subscribe(ctx, c, "changes.*", func() error {
		for range messages {
			if err := service.Publish("changes.p-1", []byte("{}")); err != nil {
				return err
			}
		}
		return service.Flush()
	}, func([]byte, uint64) {
		told++
		cancel()
	})
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("%d were told, and it ended with %v", told, err)
	}
}

// serveWithout starts a server whose user may not subscribe to some subjects.
func serveWithout(t *testing.T, denied ...string) (url string) {
	t.Helper()
	_, url = serve(t, server.Options{Users: []*server.User{
		{Username: "service", Password: "x"},
		{Username: "facet", Password: "x", Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: denied}}},
	}})
	return url
}

func as(user, url string) string { return strings.Replace(url, "nats://", "nats://"+user+":x@", 1) }

// TestRefusedSubscription ends before it is confirmed, and costs nothing else.
func TestRefusedSubscription(t *testing.T) {
	t.Parallel()
	url := serveWithout(t, "changes.>")
	service := peer(t, as("service", url))
	answers(t, service, "echo", echo)
	c := newClient(t, nats.Options{Servers: []string{as("facet", url)}})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), long)
		err := nats.Subscribe(ctx, c, "changes.*", func() error { return errors.New("it was confirmed") }, nil)
		cancel()
		if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), `Subscription to "changes.*"`) {
			t.Errorf("got %v", err)
		}
	}
	if got, err := ask(t.Context(), c, "echo"); err != nil || got.ID != "p-1" {
		t.Errorf("got %v, %v", got, err)
	}
	own := errors.New("the test's own reason")
	if err := nats.Subscribe(t.Context(), c, "others.*", func() error { return own }, nil); !errors.Is(err, own) {
		t.Errorf("another ended with %v", err)
	}
}

// TestRefusedAnswers: without them no call can be answered, so that all fail at once.
func TestRefusedAnswers(t *testing.T) {
	t.Parallel()
	url := serveWithout(t, "_INBOX.>")
	answers(t, peer(t, as("service", url)), "echo", echo)
	c := newAway(t, nats.Options{Servers: []string{as("facet", url)}})
	soon(t, "it is told why", func() bool {
		s := c.Status()[0]
		return s.State == "out" && strings.Contains(s.Check, "Subscription to")
	})
	if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "Subscription to") {
		t.Errorf("got %v", err)
	}
}
