package amqp_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/fault"
)

// TestBrokersThatCloseAtQuestions open each session, and are neither preferred to others
// nor tried in a hurry.
func TestBrokersThatCloseAtQuestions(t *testing.T) {
	server := amqptest.Start(t)
	newPeer(t, server.URL).answers("echo", echo)
	_, behind, _ := strings.Cut(server.URL, "@")
	var asked atomic.Int64
	bad := "amqp://guest:guest@" + pretend(t, func(c net.Conn) { closeAtQuestion(c, behind, &asked) })

	t.Run("with a good one", func(t *testing.T) {
		for range 6 { // each begins with any of them
			c := newAway(t, amqp.Options{Servers: []string{bad, server.URL}})
			soon(t, "it reaches the good one", func() bool {
				_, err := ask(t.Context(), c, "echo")
				return err == nil && c.Status()[1].State == "in"
			})
			c.Close()
		}
	})
	t.Run("alone", func(t *testing.T) {
		before, began := asked.Load(), time.Now()
		c := newAway(t, amqp.Options{Servers: []string{bad}})
		soon(t, "it is tried again", func() bool {
			_, err := ask(t.Context(), c, "echo")
			if fault.CodeOf(err) != fault.Unavailable {
				t.Fatalf("got %v", err)
			}
			return asked.Load() >= before+7
		})
		if took := time.Since(began); took < time.Second {
			t.Errorf("seven times within %v", took)
		}
	})
}

// closeAtQuestion hands a connection on to a broker, and closes it at the first question.
func closeAtQuestion(c net.Conn, behind string, asked *atomic.Int64) {
	to, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	_ = to.SetDeadline(time.Now().Add(long / 2))
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(c, to) })
	defer back.Wait()
	defer func() { _, _ = c.Close(), to.Close() }()
	publish := []byte{0, 60, 0, 40} // basic.publish
	for b := make([]byte, 4096); ; {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(b[:n], publish) {
			asked.Add(1)
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestCloseWithMuchToHear: what the broker says of the questions that are in flight, while
// the client closes, holds up nobody.
func TestCloseWithMuchToHear(t *testing.T) {
	const callers = 4000
	server := amqptest.Start(t)
	for range 5 {
		c := newClient(t, amqp.Options{Servers: []string{server.URL}, MaxInFlight: callers})
		var running sync.WaitGroup
		for i := range callers {
			running.Go(func() {
				for {
					_, err := askFor(t.Context(), c, "nobody", fmt.Sprint(i), long)
					if fault.CodeOf(err) != fault.Unavailable {
						t.Errorf("got %v", err)
					}
					if err == nil || strings.Contains(err.Error(), "closed") {
						return
					}
				}
			})
		}
		soon(t, "much is in flight", func() bool { return c.Stats().InFlight > callers/4 })
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("closed after %v", took)
		}
		running.Wait()
	}
}
