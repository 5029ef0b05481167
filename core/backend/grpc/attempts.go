package grpc

import (
	"context"

	"google.golang.org/grpc/stats"

	"github.com/facet-gateway/facet/core/report"
)

// attempts counts the requests that are written to a server: one that grpc-go sends
// again is seen nowhere else. It is told of them on the goroutine of the call.
type attempts struct{}

// HandleRPC counts the headers that are sent.
func (attempts) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, sent := event.(*stats.OutHeader); !sent {
		return
	}
	if call := report.CallFrom(ctx); call != nil {
		call.Attempts++
	}
}

// TagRPC adds nothing.
func (attempts) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn adds nothing.
func (attempts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn looks at nothing.
func (attempts) HandleConn(context.Context, stats.ConnStats) {}
