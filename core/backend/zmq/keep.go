package zmq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

const (
	firstWait = 50 * time.Millisecond // between attempts to connect; it doubles
	longWait  = time.Second
)

// keep has one connection after another, until life ends. serve has a connection until it
// breaks, and ended hears why it did, or why there was none.
func keep(life context.Context, dial func() (*zmtp.Conn, error), serve func(*zmtp.Conn) error, ended func(error)) {
	for wait := firstWait; life.Err() == nil; wait = min(2*wait, longWait) {
		conn, err := dial()
		if err == nil {
			began := time.Now()
			err = serve(conn)
			if time.Since(began) > longWait {
				wait = firstWait
			}
		}
		ended(err)
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-life.Done():
		}
	}
}

// attend runs what uses a connection, and closes that at its end or at life's. A panic at
// what the peer sent is an error.
func attend(life context.Context, conn *zmtp.Conn, use func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what the peer sent ended in a panic: %v", p)
		}
	}()
	defer conn.Close()
	defer context.AfterFunc(life, conn.Close)()
	return use()
}
