package wiretest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	wire "github.com/facet-gateway/facet/adapters/wire/orders"
	backend "github.com/facet-gateway/facet/core/backend/http"
)

// Orders serves the orders service over Thrift until the test ends, and returns its URL.
// Its clients have to be closed by then.
func Orders(t testing.TB, h http.Handler) string {
	t.Helper()
	socket, err := lib.NewTServerSocket("127.0.0.1:0")
	if err == nil {
		err = socket.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	server := lib.NewTSimpleServer4(player{h}, socket,
		lib.NewTFramedTransportFactoryConf(lib.NewTTransportFactory(), nil), lib.NewTCompactProtocolFactoryConf(nil))
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(server.Stop(), <-served); err != nil {
			t.Error(err)
		}
	})
	return "thrift://" + socket.Addr().String()
}

// player is the service, as the library's server calls it.
type player struct{ handler http.Handler }

// ProcessorMap returns nothing: there is one method.
func (player) ProcessorMap() map[string]lib.TProcessorFunction { return nil }

// AddToProcessorMap adds nothing.
func (player) AddToProcessorMap(string, lib.TProcessorFunction) {}

// Process answers one call.
func (p player) Process(ctx context.Context, in, out lib.TProtocol) (bool, lib.TException) {
	method, _, sequence, err := in.ReadMessageBegin(ctx)
	var args wire.OrdersQueryArgs
	if err = errors.Join(err, args.Read(ctx, in)); err != nil {
		return false, lib.WrapTException(err)
	}
	target := backend.Path("/orders").Query("user", args.User).Query("product", args.Product).Query("limit", strconv.Itoa(int(args.Limit)))
	status, body := ask(ctx, p.handler, target)
	kind, write := played(status, body)
	return true, lib.WrapTException(errors.Join(
		out.WriteMessageBegin(ctx, method, kind, sequence), write(ctx, out), out.WriteMessageEnd(ctx), out.Flush(ctx)))
}

// played returns the kind of the message that an answer is, and what writes it.
func played(status int, body []byte) (lib.TMessageType, func(context.Context, lib.TProtocol) error) {
	var said list
	switch {
	case status == http.StatusNotFound:
		return lib.REPLY, (&wire.OrdersQueryResult{NotFound: &wire.NotFound{}}).Write
	case status == http.StatusBadRequest:
		return lib.REPLY, (&wire.OrdersQueryResult{Refused: &wire.Refused{Field: "user"}}).Write
	case status != http.StatusOK:
		return lib.EXCEPTION, lib.NewTApplicationException(lib.INTERNAL_ERROR, string(body)).Write
	case json.Unmarshal(body, &said) != nil:
		return lib.REPLY, func(_ context.Context, out lib.TProtocol) error {
			_, err := out.Transport().Write(body)
			return err //nolint:wrapcheck // of a test
		}
	}
	return lib.REPLY, said.write
}

// list is the JSON of an answer, of which anything may be missing.
type list struct {
	Orders *[]order `json:"orders"`
}

type order struct {
	ID       *string `json:"id"`
	PlacedAt *string `json:"placed_at"`
	Status   *string `json:"status"`
	Items    *[]item `json:"items"`
	Total    *money  `json:"total"`
}

type item struct {
	ProductID *string `json:"product_id"`
	Quantity  *int64  `json:"quantity"`
}

type money struct {
	Amount   *int64  `json:"amount"`
	Currency *string `json:"currency"`
}

func (l list) write(ctx context.Context, out lib.TProtocol) error {
	s := structure{ctx: ctx, out: out}
	s.begin()
	if l.Orders != nil {
		s.list(0, len(*l.Orders), func(i int) { (*l.Orders)[i].write(&s) })
	}
	s.end()
	return s.err
}

func (o order) write(s *structure) {
	s.begin()
	s.text(1, o.ID)
	if o.PlacedAt != nil {
		if at, err := time.Parse(time.RFC3339, *o.PlacedAt); err == nil {
			ms := at.UnixMilli()
			s.number(2, &ms)
		}
	}
	s.text(3, o.Status)
	if o.Items != nil {
		s.list(4, len(*o.Items), func(i int) {
			s.begin()
			s.text(1, (*o.Items)[i].ProductID)
			s.number(2, (*o.Items)[i].Quantity)
			s.end()
		})
	}
	if o.Total != nil {
		s.field(5, lib.STRUCT, func() {
			s.begin()
			s.number(1, o.Total.Amount)
			s.text(2, o.Total.Currency)
			s.end()
		})
	}
	s.end()
}

// structure writes fields that may be missing, until the first error.
type structure struct {
	ctx context.Context // of one answer
	out lib.TProtocol
	err error
}

func (s *structure) do(err error) { s.err = errors.Join(s.err, err) }

func (s *structure) begin() { s.do(s.out.WriteStructBegin(s.ctx, "")) }

func (s *structure) end() {
	s.do(s.out.WriteFieldStop(s.ctx))
	s.do(s.out.WriteStructEnd(s.ctx))
}

func (s *structure) field(id int16, kind lib.TType, value func()) {
	s.do(s.out.WriteFieldBegin(s.ctx, "", kind, id))
	value()
	s.do(s.out.WriteFieldEnd(s.ctx))
}

func (s *structure) text(id int16, v *string) {
	if v != nil {
		s.field(id, lib.STRING, func() { s.do(s.out.WriteString(s.ctx, *v)) })
	}
}

func (s *structure) number(id int16, v *int64) {
	if v != nil {
		s.field(id, lib.I64, func() { s.do(s.out.WriteI64(s.ctx, *v)) })
	}
}

func (s *structure) list(id int16, length int, element func(i int)) {
	s.field(id, lib.LIST, func() {
		s.do(s.out.WriteListBegin(s.ctx, lib.STRUCT, length))
		for i := range length {
			element(i)
		}
		s.do(s.out.WriteListEnd(s.ctx))
	})
}
