package exposure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// natsSink publishes exposures. It tries to reach NATS for as long as it lives.
type natsSink struct {
	options  nats.Options
	subject  string
	resource resource
	log      *slog.Logger
	life     context.Context //nolint:containedctx // of its attempts to connect
	end      context.CancelFunc

	conn   atomic.Pointer[nats.Conn] // changed by who tells only
	opened time.Time                 // conn was

	there   atomic.Bool            // NATS is
	missed  atomic.Bool            // it was said that NATS is away
	refused atomic.Bool            // it was said that NATS refuses
	known   chan struct{}          // closed when it is known whether NATS is there
	once    sync.Once              // closes known
	dialed  atomic.Pointer[dialed] // the last attempt
	lost    *atomic.Uint64         // counts what NATS did not take
	before  atomic.Uint64          // what was lost when NATS went away
}

const (
	kept         = 8 << 20 // bytes of messages while NATS is away, of some 1.2 KB each
	dialTimeout  = 2 * time.Second
	writeTimeout = 5 * time.Second
	pingEvery    = 10 * time.Second // two unanswered ones end a connection
	maxPings     = 2
	firstWait    = 100 * time.Millisecond // between attempts to connect; it doubles
	longWait     = 5 * time.Second
	reopenAfter  = time.Second
)

func newNATSSink(o Options, log *slog.Logger, lost *atomic.Uint64) (*natsSink, error) {
	s := &natsSink{
		options: nats.GetDefaultOptions(), subject: o.Subject, resource: resourceOf(o.Replica), log: log,
		known: make(chan struct{}), lost: lost,
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.options.Servers = o.NATS
	if err := s.identify(o); err != nil {
		s.end()
		return nil, err
	}
	for _, set := range s.behaviour() {
		_ = set(&s.options) // those fail on nothing
	}
	if err := s.open(); err != nil {
		s.end()
		return nil, unreadable("nats", err)
	}
	return s, nil
}

// identify says who the gateway is, and whom it believes.
func (s *natsSink) identify(o Options) error {
	if o.Credentials != "" {
		if _, err := os.Stat(o.Credentials); err != nil {
			return unreadable("credentials", err)
		}
		_ = nats.UserCredentials(o.Credentials)(&s.options) // it reads the file when it connects
	}
	if o.CA != "" {
		if err := nats.RootCAs(o.CA)(&s.options); err != nil {
			return unreadable("ca", err)
		}
	}
	if o.Certificate != "" {
		if err := nats.ClientCert(o.Certificate, o.Key)(&s.options); err != nil {
			return unreadable("certificate", err)
		}
	}
	return nil
}

// behaviour is how the client goes about a NATS that comes and goes.
func (s *natsSink) behaviour() []nats.Option {
	return []nats.Option{
		nats.Name(providerName),
		nats.Timeout(dialTimeout), nats.SkipHostLookup(), // the dialer does it, within its time
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(s.wait), nats.ReconnectBufSize(kept),
		nats.FlusherTimeout(writeTimeout), nats.ReconnectOnFlusherError(),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings),
		nats.NoCallbacksAfterClientClose(), nats.ClosedHandler(func(c *nats.Conn) { s.gone(c.LastError()) }),
		nats.ConnectHandler(func(*nats.Conn) { s.back() }), nats.ReconnectHandler(func(*nats.Conn) { s.back() }),
		nats.DisconnectErrHandler(s.disconnected),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.refuse(err) }),
	}
}

// wait is what the client asks before it tries the last server of its list for that
// time since NATS was there: how long it is to wait. Before the second time it has
// tried them all.
func (s *natsSink) wait(attempt int) time.Duration {
	if attempt > 1 {
		err := s.conn.Load().LastError() // of a server that answers what is of no use
		if last := s.dialed.Load(); err == nil && last != nil {
			err = last.err
		}
		s.gone(err)
	}
	d := firstWait
	for i := 1; i < attempt && d < longWait; i++ {
		d *= 2
	}
	d = min(d, longWait)
	return d/2 + rand.N(d/2)
}

// errNotYet is why the first attempts to connect fail.
var errNotYet = errors.New("not yet")

// dialer dials for the client, until the sink ends. Its first attempts fail at once:
// Connect makes them, and would hold up who calls it; the client makes others on a
// goroutine of its own.
type dialer struct {
	sink *natsSink
	open atomic.Bool
}

// dialed is what an attempt to dial came to.
type dialed struct {
	conn net.Conn
	err  error
}

// Dial is what the client calls.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	if !d.open.Load() {
		return nil, errNotYet
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(d.sink.life, network, address)
	d.sink.last(&dialed{conn, err})
	return conn, err //nolint:wrapcheck // it is logged as it is
}

// last remembers an attempt, and hangs up what came of the one before: the client
// leaves open what did not answer as NATS does.
func (s *natsSink) last(d *dialed) {
	if before := s.dialed.Swap(d); before != nil && before.err == nil {
		_ = before.conn.Close() // mostly it is closed
	}
}

// open makes a client, which connects by itself. It does not wait.
func (s *natsSink) open() error {
	d := &dialer{sink: s}
	s.options.CustomDialer, s.opened = d, time.Now()
	conn, err := s.options.Connect()
	d.open.Store(true)
	if err != nil {
		return err //nolint:wrapcheck // who calls does
	}
	s.conn.Store(conn)
	return nil
}

// tell publishes an event. Where the client has given up, as it does when a server
// says what it does not know, it is replaced.
func (s *natsSink) tell(e *Event) error {
	message, err := e.otlp(s.resource)
	if err != nil {
		return err
	}
	err = s.conn.Load().Publish(s.subject, message)
	if errors.Is(err, nats.ErrConnectionClosed) && time.Since(s.opened) >= reopenAfter {
		if err = s.open(); err == nil {
			err = s.conn.Load().Publish(s.subject, message)
		}
	}
	return err //nolint:wrapcheck // it is counted
}

// back says that NATS is there, if it was said that it is not.
func (s *natsSink) back() {
	s.there.Store(true)
	s.once.Do(func() { close(s.known) })
	s.refused.Store(false)
	if s.missed.Swap(false) {
		s.log.Info("exposures reach NATS again", "lost", s.lost.Load()-s.before.Load())
	}
}

// disconnected is told why a connection broke, unless the client broke it.
func (s *natsSink) disconnected(c *nats.Conn, err error) {
	if err == nil {
		err = c.LastError()
	}
	s.gone(err)
}

// gone says that NATS is not there, once.
func (s *natsSink) gone(err error) {
	s.there.Store(false)
	s.once.Do(func() { close(s.known) })
	if s.missed.Swap(true) {
		return
	}
	s.before.Store(s.lost.Load())
	s.log.Warn("exposures do not reach NATS; up to 8 MiB of them are kept", "error", err)
}

// refuse says that NATS does not want what it is sent, once in each connection.
func (s *natsSink) refuse(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		s.lost.Add(1) // it was published, for all that the client knew
	}
	if !s.refused.Swap(true) {
		s.log.Warn("NATS refuses exposures", "error", err)
	}
}

// close has the server confirm what was published, if it is there.
func (s *natsSink) close(ctx context.Context) error {
	select {
	case <-s.known:
	case <-ctx.Done():
	}
	conn := s.conn.Load()
	var err error
	if s.there.Load() {
		err = conn.FlushWithContext(ctx)
		conn.Close()
	}
	s.end() // who connects holds the lock that the rest needs
	s.last(nil)
	left, _ := conn.Buffered()
	conn.Close()
	switch {
	case err != nil:
		return fmt.Errorf("exposures may not have reached NATS: %w", err)
	case left > 0:
		return fmt.Errorf("%d bytes of exposures did not reach NATS, which is away", left)
	}
	return nil
}
