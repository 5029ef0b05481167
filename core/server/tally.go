package server

import (
	"time"

	"github.com/coder/websocket"
)

// maxHeard is how many messages, pings and pongs a client of WebSocket may send in the
// time of a heartbeat.
const maxHeard = 64

// tally counts what a client sends in the time of a heartbeat.
type tally struct {
	began time.Time
	count int
}

// tooMuch is what one who sends more is told.
const tooMuch = "too many messages"

// heard counts what the client has sent, and reports whether it may send that much.
func (w *webSocket) heard() (allowed bool) {
	if now := time.Now(); now.Sub(w.said.began) >= w.f.heartbeat {
		w.said = tally{began: now}
	}
	w.said.count++
	return w.said.count <= maxHeard
}

// heardControl does so of a ping or a pong. The first that is too much has the client sent
// away, by a goroutine of its own: whoever reads cannot wait for the client's close frame.
func (w *webSocket) heardControl() (allowed bool) {
	allowed = w.heard()
	if w.said.count == maxHeard+1 {
		w.beside.Go(func() {
			defer w.recovered()
			w.refuse(websocket.StatusPolicyViolation, tooMuch)
		})
	}
	return allowed
}
