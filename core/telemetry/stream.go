package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
)

// What one reader of the stream can ask for and hold.
const (
	readerLimit  = 16
	defaultDelay = 500 * time.Millisecond
	minDelay     = 100 * time.Millisecond
	maxDelay     = time.Minute
	writeTimeout = 5 * time.Second        // of one round of events; who does not read for so long is cut off
	lastMoment   = 100 * time.Millisecond // for what is being written when the stream ends
	freshness    = minDelay / 2           // for which readers share what was read of the commands
)

// stream answers with server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) that
// Netflix' Hystrix dashboard and Turbine read: two for each command, at once and
// then every `delay` milliseconds. It runs on the goroutines of its readers:
// without one it costs nothing, and a further one costs little more than its writes.
// The private port's limits on a whole request and a whole answer do not hold
// here: there is a limit on each write instead.
type stream struct {
	controls     []*command.Control
	writeTimeout time.Duration
	readers      chan struct{} // a place for each

	mu       sync.Mutex
	readAt   time.Time
	events   []byte // as read then; never changed
	readings int    // so far
}

func newStream(controls []*command.Control) *stream {
	return &stream{controls: controls, writeTimeout: writeTimeout, readers: make(chan struct{}, readerLimit)}
}

// ServeHTTP sends events until the reader leaves, does not read for 5 s, or the
// request's context ends. A further reader than 16 gets a 503.
func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !reads(w, r, http.MethodGet) {
		return
	}
	delay, err := delayOf(r)
	if err != nil {
		refuse(w, err)
		return
	}
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		w.Header().Set("Retry-After", "5")
		refuse(w, fault.New(fault.Unavailable, "there are "+strconv.Itoa(readerLimit)+" readers already"))
		return
	}
	s.send(r.Context(), w, delay)
}

// delayOf reads the time between two rounds of events, as Hystrix' own stream does.
func delayOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("delay")
	if text == "" {
		return defaultDelay, nil
	}
	n, err := strconv.Atoi(text)
	if delay := time.Duration(n) * time.Millisecond; err == nil && delay >= minDelay && delay <= maxDelay {
		return delay, nil
	}
	return 0, fault.InvalidField("delay", "must be a number of milliseconds from 100 to 60000")
}

// send sends a round of events at once, and one whenever the delay is over.
func (s *stream) send(ctx context.Context, w http.ResponseWriter, delay time.Duration) {
	out := newPatient(ctx, w, s.writeTimeout)
	defer out.end()
	tick := time.NewTicker(delay)
	defer tick.Stop()
	for out.write(s.round(time.Now())) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// round returns the events of all commands, as they were less than 50 ms ago.
func (s *stream) round(now time.Time) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil || now.Sub(s.readAt) > freshness {
		s.events, s.readAt = s.read(now), now
		s.readings++
	}
	return s.events
}

func (s *stream) read(now time.Time) []byte {
	if len(s.controls) == 0 {
		return []byte(": ping\n\n") // else nothing would tell that the reader has left
	}
	var all bytes.Buffer
	encode := json.NewEncoder(&all)
	for _, control := range s.controls {
		for _, event := range eventsOf(control, now) {
			all.WriteString("data: ")
			_ = encode.Encode(event) // numbers and texts always encode; it ends the line
			all.WriteByte('\n')
		}
	}
	return all.Bytes()
}
