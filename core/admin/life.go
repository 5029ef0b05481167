package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of one client. A profile extends the write timeout by its own length.
const (
	readTimeout    = 5 * time.Second // of a whole request
	writeTimeout   = 15 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
	closeTimeout   = 5 * time.Second        // for answers that are being written at the end
	freshTimeout   = 100 * time.Millisecond // for requests that are being sent at the end
)

// Serve answers requests on the listener until ctx ends, then gives those in
// progress up to 5 s; profiles being taken are cut short, changes are not. It returns nil after
// a clean stop, and closes the listener in any case. Call it once.
func (a *Admin) Serve(ctx context.Context, ln net.Listener) error {
	defer a.audit.end()
	// Requests live as long as the port, so that its end stops a profile of minutes;
	// changes live longer.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var fresh sync.Map // connections on which no request has come yet
	hs := &http.Server{
		Handler:           a.handler,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateNew {
				fresh.Store(c, nil)
			} else {
				fresh.Delete(c)
			}
		},
		BaseContext: func(net.Listener) context.Context { return life },
		ErrorLog:    slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the private port: %w", err)
	case <-ctx.Done():
	}
	end()
	err := shutdown(hs, &fresh)
	if cause := <-failed; !errors.Is(cause, http.ErrServerClosed) {
		err = errors.Join(err, cause)
	}
	return err
}

// shutdown gives requests their time, but connections without one only a
// moment: net/http would wait 5 s for what a browser connects in advance.
func shutdown(hs *http.Server, fresh *sync.Map) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	brief, end := context.WithTimeout(ctx, freshTimeout)
	defer end()
	if hs.Shutdown(brief) == nil {
		return nil
	}
	for c := range fresh.Range {
		if conn, ok := c.(net.Conn); ok {
			_ = conn.Close() // there is nothing on it to lose
		}
	}
	if err := hs.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests of the private port were still in progress: %w", err), hs.Close())
	}
	return nil
}
