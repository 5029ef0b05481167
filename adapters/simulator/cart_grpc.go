package simulator

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	wire "github.com/facet-gateway/facet/adapters/wire/cart"
)

// cartGRPC is the cart service over gRPC, with grpc.health.v1 beside it: that says
// SERVING while the service is not down, whatever else is wrong with it.
type cartGRPC struct {
	wire.UnimplementedCartsServer
	service *service
	host    string
	lines   atomic.Pointer[lines] // nil before it starts
	server  *rpc.Server
	running sync.WaitGroup
}

func bindCartGRPC(s *service, _ *store, o *Options) further {
	return &cartGRPC{service: s, host: o.Host}
}

func (c *cartGRPC) start(ctx context.Context) error {
	l, err := listen(ctx, c.host, c.service)
	if err != nil {
		return err
	}
	c.server = rpc.NewServer(
		rpc.ForceServerCodecV2(spoilt{}), rpc.UnaryInterceptor(c.intercept), rpc.WaitForHandlers(true),
		rpc.ConnectionTimeout(headerTimeout), rpc.MaxRecvMsgSize(maxBodyBytes), rpc.MaxHeaderListSize(maxHeaderBytes),
		rpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout}),
		rpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: headerTimeout}),
	)
	wire.RegisterCartsServer(c.server, c)
	grpc_health_v1.RegisterHealthServer(c.server, health.NewServer())
	c.lines.Store(l)
	c.running.Go(func() { _ = c.server.Serve(l) }) // ends with Stop
	return nil
}

func (c *cartGRPC) url() string {
	if l := c.lines.Load(); l != nil {
		return "grpc://" + l.Addr().String()
	}
	return ""
}

func (c *cartGRPC) drop() {
	if l := c.lines.Load(); l != nil {
		l.drop()
	}
}

func (c *cartGRPC) close() {
	c.server.Stop()
	c.running.Wait()
}

// intercept answers the calls of the service itself: not every answer is a message.
func (c *cartGRPC) intercept(ctx context.Context, request any, _ *rpc.UnaryServerInfo, next rpc.UnaryHandler) (any, error) {
	get, ok := request.(*wire.GetRequest)
	if !ok {
		return next(ctx, request) // a health check
	}
	a, harm, err := c.service.take(asRequest(ctx, "/carts/"+url.PathEscape(get.GetUser()), headerOf(ctx)))
	if err == nil && !harm.Reset {
		return cartReply(a, &harm)
	}
	if harm.Reset {
		_ = rpc.SendHeader(ctx, nil) // the client may be gone
	}
	if harm.Reset || c.service.down() {
		c.breakOff(ctx)
	}
	return nil, errBrokenOff
}

func (c *cartGRPC) breakOff(ctx context.Context) {
	if client, ok := peer.FromContext(ctx); ok {
		c.lines.Load().breakOff(client.Addr.String())
	}
}

// headerOf is a call's metadata, as HTTP has it.
func headerOf(ctx context.Context) http.Header {
	md, _ := metadata.FromIncomingContext(ctx)
	h := http.Header{}
	for name, values := range md {
		for _, value := range values {
			h.Add(name, value)
		}
	}
	return h
}

// cartReply is what an answer is over gRPC: a message, bytes that are none, or a status.
func cartReply(a *answer, harm *Fault) (any, error) {
	c, ok := a.value.(cart)
	switch {
	case harm.Garbage || harm.WrongType:
		return spoilMessage(nil, harm), nil
	case !ok || a.status != http.StatusOK:
		return nil, statusOf(a)
	}
	message := messageOf(c)
	if *harm == (Fault{}) {
		return message, nil
	}
	bytes, err := proto.Marshal(message)
	return spoilMessage(bytes, harm), err
}

func messageOf(c cart) *wire.Cart {
	count := int64(c.ItemCount)
	m := &wire.Cart{User: &c.User, ItemCount: &count, Subtotal: &wire.Money{Amount: &c.Subtotal.Amount, Currency: &c.Subtotal.Currency}}
	for _, item := range c.Items {
		quantity := int64(item.Quantity)
		m.Items = append(m.Items, &wire.Item{ProductId: &item.ProductID, Quantity: &quantity})
	}
	return m
}
