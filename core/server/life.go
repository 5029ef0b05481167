package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// life is the state that load balancers ask for.
type life struct{ ready, draining atomic.Bool }

// Ready reports whether new requests should come here. It depends on nothing
// but this server: a backend that is gone degrades pages, it does not take
// replicas out.
func (s *Server) Ready() bool { return s.life.ready.Load() }

// Serve answers requests on the listener until ctx ends. Then it drains: it is
// unready, still serves for DrainDelay, ending each connection with its next answer,
// takes no new connection, and gives the requests in progress ShutdownTimeout. It returns nil after a clean stop, and
// closes the listener in any case. Call it once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	fresh := &newcomers{}
	hs := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.Limits.ReadHeaderTimeout,
		ReadTimeout:       s.Limits.ReadTimeout,
		WriteTimeout:      s.Limits.WriteTimeout,
		IdleTimeout:       s.Limits.IdleTimeout,
		MaxHeaderBytes:    s.Limits.MaxHeaderBytes,
		ConnState:         fresh.watch,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // broken handshakes and the like
	}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(ln) }()
	s.life.ready.Store(true)
	defer s.life.ready.Store(false)
	select {
	case err := <-failed:
		s.sendAway(context.Background())
		return fmt.Errorf("serve the public port: %w", err)
	case <-ctx.Done():
	}
	err := s.drain(hs, fresh)
	if cause := <-failed; !errors.Is(cause, http.ErrServerClosed) { // now the goroutine above has ended
		err = errors.Join(err, cause)
	}
	return err
}

func (s *Server) drain(hs *http.Server, fresh *newcomers) error {
	s.life.draining.Store(true)
	s.life.ready.Store(false)
	wait := time.NewTimer(s.Limits.DrainDelay)
	defer wait.Stop()
	<-wait.C
	ctx, cancel := context.WithTimeout(context.Background(), s.Limits.ShutdownTimeout)
	defer cancel()
	s.sendAway(ctx)
	if settled(ctx, hs) {
		return nil
	}
	fresh.close()
	if err := hs.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were still in progress: %w", err), hs.Close())
	}
	return nil
}

// sendAway has those go who follow what keeps coming, and would for ever. Who does not
// take the leave in half of the time of the shutdown is cut off.
func (s *Server) sendAway(ctx context.Context) {
	const half = 2
	brief, cancel := context.WithTimeout(ctx, s.Limits.ShutdownTimeout/half)
	defer cancel()
	s.room.drain(brief)
}

// settled shuts down what can be within a moment, which a request that is being
// sent has to arrive. From then on there are no new connections.
func settled(ctx context.Context, hs *http.Server) bool {
	const moment = 100 * time.Millisecond
	brief, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	return hs.Shutdown(brief) == nil
}
