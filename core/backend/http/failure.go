package http

import (
	"context"
	"fmt"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
)

// failed turns what went wrong in an exchange into what callers decide by.
func (c *Client) failed(ctx context.Context, in *instance, reason fault.Reason, err error) error {
	if fault.Over(ctx) {
		return fault.Ended(ctx, c.service)
	}
	return payload.Fault(reason, fmt.Errorf("%s at %s: %w", c.service, in.address, err))
}

func (c *Client) because(err error) error { return fmt.Errorf("%s: %w", c.service, err) }
