package simulator

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	wire "github.com/facet-gateway/facet/adapters/wire/orders"
	"github.com/facet-gateway/facet/testdata/shop"
)

// ordersThrift is the orders service over Thrift.
type ordersThrift struct {
	service *service
	host    string
	lines   atomic.Pointer[lines] // nil before it starts
	life    context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

func bindOrdersThrift(s *service, _ *store, o *Options) further {
	return &ordersThrift{service: s, host: o.Host}
}

func (o *ordersThrift) start(ctx context.Context) error {
	l, err := listen(ctx, o.host, o.service)
	if err != nil {
		return err
	}
	o.life, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	o.lines.Store(l)
	o.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			o.running.Go(func() { o.serve(c) })
		}
	})
	return nil
}

func (o *ordersThrift) url() string {
	if l := o.lines.Load(); l != nil {
		return "thrift://" + l.Addr().String()
	}
	return ""
}

func (o *ordersThrift) drop() {
	if l := o.lines.Load(); l != nil {
		l.drop()
	}
}

func (o *ordersThrift) close() {
	o.stop()
	_ = o.lines.Load().Close() // it fails only if it is closed already
	o.drop()
	o.running.Wait()
}

// serve answers the calls of one connection, one after the other. It is read ahead, so
// that a client that leaves is noticed while its call hangs.
func (o *ordersThrift) serve(c net.Conn) {
	ctx, leave := context.WithCancel(o.life)
	calls := make(chan []byte)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer leave()
		defer close(calls)
		readCalls(ctx, c, calls)
	})
	defer reading.Wait()
	defer func() { _ = c.Close() }() // ends the reading, too
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	for call := range calls {
		if o.answer(ctx, c, call) != nil {
			return
		}
	}
}

func readCalls(ctx context.Context, c net.Conn, calls chan<- []byte) {
	for {
		_ = c.SetReadDeadline(time.Now().Add(idleTimeout)) // a closed connection tells itself
		call, err := readFrame(c)
		if err != nil {
			return
		}
		select {
		case calls <- call:
		case <-ctx.Done():
			return
		}
	}
}

// answer answers one call. After an error the connection is of no use.
func (o *ordersThrift) answer(ctx context.Context, c net.Conn, call []byte) error {
	a, err := askedOver(ctx, call)
	if err != nil {
		return err
	}
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }() // as above
	if a.refusal != nil {
		return a.write(ctx, c, lib.EXCEPTION, a.refusal, &Fault{})
	}
	said, harm, err := o.service.take(a.request(ctx))
	if err != nil {
		if one, ok := c.(*line); ok {
			one.breakOff()
		}
		return err
	}
	result, kind := resultOf(said)
	return a.write(ctx, c, kind, result, &harm)
}

// asked is a call of the service's one method.
type asked struct {
	method   string
	sequence int32
	args     wire.OrdersQueryArgs
	refusal  lib.TApplicationException // of a call that is none; nil: it is one
}

func askedOver(ctx context.Context, frame []byte) (*asked, error) {
	from := lib.NewTCompactProtocolConf(bufferOf(frame), &lib.TConfiguration{MaxMessageSize: maxBodyBytes})
	method, _, sequence, err := from.ReadMessageBegin(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // it ends the connection
	}
	a := &asked{method: method, sequence: sequence}
	if method != "query" {
		a.refusal = lib.NewTApplicationException(lib.UNKNOWN_METHOD, "unknown method "+method)
	} else if err := a.args.Read(ctx, from); err != nil {
		a.refusal = lib.NewTApplicationException(lib.PROTOCOL_ERROR, err.Error())
	}
	return a, nil
}

// request is the equal one over HTTP.
func (a *asked) request(ctx context.Context) *http.Request {
	target := "/orders?user=" + url.QueryEscape(a.args.User) + "&product=" + url.QueryEscape(a.args.Product) +
		"&limit=" + strconv.Itoa(int(a.args.Limit))
	h, told := http.Header{}, a.args.GetContext()
	if told != nil {
		h.Set("Traceparent", told.Traceparent)
	}
	if told.IsSetRequestID() {
		h.Set("X-Request-Id", *told.RequestID)
	}
	if told.IsSetTimeoutMs() {
		h.Set("X-Request-Timeout-Ms", strconv.FormatInt(*told.TimeoutMs, 10))
	}
	return asRequest(ctx, target, h)
}

// resultOf is what an answer is over Thrift: orders, an exception that the IDL declares,
// or one that it does not.
func resultOf(a *answer) (lib.TStruct, lib.TMessageType) {
	p, _ := a.value.(problem)
	switch all, ok := a.value.(orders); {
	case ok && a.status == http.StatusOK:
		return &wire.OrdersQueryResult{Success: wireOrders(all.Orders)}, lib.REPLY
	case a.status == http.StatusNotFound:
		return &wire.OrdersQueryResult{NotFound: &wire.NotFound{}}, lib.REPLY
	case a.status >= 500 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout:
		return lib.NewTApplicationException(lib.INTERNAL_ERROR, p.Error), lib.EXCEPTION
	}
	return &wire.OrdersQueryResult{Refused: &wire.Refused{Field: p.Field}}, lib.REPLY
}

func wireOrders(all []shop.Order) []*wire.Order {
	list := make([]*wire.Order, len(all))
	for i, order := range all {
		items := make([]*wire.Item, len(order.Items))
		for j, item := range order.Items {
			items[j] = &wire.Item{ProductID: item.ProductID, Quantity: int64(item.Quantity)}
		}
		list[i] = &wire.Order{
			ID: order.ID, PlacedAt: order.PlacedAt.UnixMilli(), Status: order.Status, Items: items,
			Total: &wire.Money{Amount: order.Total.Amount, Currency: order.Total.Currency},
		}
	}
	return list
}

// write encodes what is said, and sends it with the harm that is wanted.
func (a *asked) write(ctx context.Context, c net.Conn, kind lib.TMessageType, said lib.TStruct, harm *Fault) error {
	head, body := bufferOf(nil), bufferOf(nil)
	err := errors.Join(
		lib.NewTCompactProtocolConf(head, nil).WriteMessageBegin(ctx, a.method, kind, a.sequence),
		said.Write(ctx, lib.NewTCompactProtocolConf(body, nil)))
	if err != nil {
		return err //nolint:wrapcheck // it ends the connection
	}
	_ = c.SetWriteDeadline(time.Now().Add(writeTimeout)) // a closed connection tells itself
	return sendFrame(c, head.Bytes(), body.Bytes(), harm)
}
