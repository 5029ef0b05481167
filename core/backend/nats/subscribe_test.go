package nats_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/facet-gateway/facet/core/backend/nats"
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
