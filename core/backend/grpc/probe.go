package grpc

import (
	"context"
	"fmt"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// newProbe returns what asks an instance how it is, with the protocol that gRPC has for
// it: SERVING says that it is well. It takes the connection that calls take.
func newProbe(name string) func(context.Context, *instance) error {
	return func(ctx context.Context, in *instance) error {
		answer, err := grpc_health_v1.NewHealthClient(in.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: name},
			rpc.MaxCallRecvMsgSize(headerLimit))
		if err != nil {
			return fmt.Errorf("the health check: %w", err)
		}
		if is := answer.GetStatus(); is != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("the health check: %v", is)
		}
		return nil
	}
}
