package grpc

import (
	"errors"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/facet-gateway/facet/core/discovery"
)

const (
	headerLimit = 8 << 10 // of the list of an answer's headers, in bytes

	// window is how many bytes of answers may be under way. It stays, since measuring the
	// network for a better one takes a ping for each burst of answers.
	window = 1 << 20

	// An instance that is back must have traffic within a second: this leaves time for
	// the jitter of a fifth, and to connect.
	firstPause   = 100 * time.Millisecond
	longestPause = 600 * time.Millisecond

	// Servers allow a ping when they have sent something since the last one, and end
	// a connection for the third that comes without. 10 s is the least that grpc-go does.
	quiet     = 10 * time.Second
	reachable = 2 * time.Second
)

var errPath = errors.New("has a path, and gRPC knows none")

// instance is one server of a service, and the connection to it.
type instance struct {
	address string
	conn    *rpc.ClientConn
}

func newInstance(of discovery.Instance, o Options) (*instance, error) {
	if of.Path != "" {
		return nil, errPath
	}
	conn, err := rpc.NewClient("passthrough:///"+of.Address,
		rpc.WithTransportCredentials(insecure.NewCredentials()),
		rpc.WithUserAgent("facet"),
		rpc.WithNoProxy(), rpc.WithDisableServiceConfig(), rpc.WithDisableRetry(), rpc.WithDisableHealthCheck(),
		rpc.WithMaxHeaderListSize(headerLimit),
		rpc.WithStaticStreamWindowSize(window), rpc.WithStaticConnWindowSize(window),
		rpc.WithKeepaliveParams(keepalive.ClientParameters{Time: quiet, Timeout: reachable}),
		rpc.WithConnectParams(rpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstPause, Multiplier: 1.6, Jitter: 0.2, MaxDelay: longestPause},
			MinConnectTimeout: o.DialTimeout,
		}))
	if err != nil {
		return nil, err //nolint:wrapcheck // the pool says of which instance
	}
	return &instance{address: of.Address, conn: conn}, nil
}

func (in *instance) close() { _ = in.conn.Close() } // it fails only if it is closed already
