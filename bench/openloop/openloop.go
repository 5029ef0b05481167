// Package openloop asks open loop, as a crowd does: each request leaves when it is due,
// however many before it have not been answered. A generator that waits for
// answers slows down with what it measures, and leaves out what would have been
// slowest (coordinated omission). So latencies count from when a request was due.
//
// It keeps 64 bytes of each answer, and costs about what net/http's client does:
// 50 µs of a processor a request. It belongs on loopback.
package openloop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is a kind of request, asked at an even rate.
type Kind struct {
	Name      string
	PerSecond float64                            // > 0
	Request   func(n int) (*http.Request, error) // the n-th, from 0; called on one goroutine

	// Sound looks at a whole answer; nil: none is looked at, and what they hold is not
	// kept. It is called on many goroutines.
	Sound func(header http.Header, status int, body []byte) bool
}

// Answer is what became of one request.
type Answer struct {
	Due    time.Duration // since the start
	Took   time.Duration // from then until the whole answer was read, or none was to come
	Status int           // 0: there was no answer, or not all of it
	Parts  string        // of the header Facet-Parts
	Faulty bool          // it came whole, and is not sound
}

// Result is what became of all requests of a kind, in the order in which they were due.
type Result struct {
	Name    string
	Answers []Answer
}

// NewClient returns a client for one run against one address: it keeps as many
// connections as it opened, 1,000 at most, because a generator that was held up for a moment
// would else spend what time it has on connections. Close its idle connections in
// the end.
func NewClient(timeout time.Duration) *http.Client {
	const connections = 1000
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
	}}
}

// inFlight bounds what is unanswered at once; a further request counts as one
// without an answer.
const inFlight = 10_000

// Run asks until lasting is over or ctx ends, and returns when every request has
// been answered, in the order of kinds. The client bounds how long that may take:
// it needs a timeout. The error is of a request that could not be made.
func Run(ctx context.Context, client *http.Client, lasting time.Duration, kinds ...Kind) ([]Result, error) {
	if client.Timeout <= 0 {
		return nil, errors.New("openloop: the client needs a timeout")
	}
	var all sync.WaitGroup
	results, errs := make([]Result, len(kinds)), make([]error, len(kinds))
	began := time.Now()
	for i, k := range kinds {
		results[i] = Result{Name: k.Name, Answers: make([]Answer, int(lasting.Seconds()*k.PerSecond))}
		all.Go(func() {
			sent, err := k.run(ctx, client, began, results[i].Answers)
			results[i].Answers, errs[i] = results[i].Answers[:sent], err
		})
	}
	all.Wait()
	return results, errors.Join(errs...)
}

// run fills the answers, each when it is there, and returns how many were asked for.
func (k Kind) run(ctx context.Context, client *http.Client, began time.Time, answers []Answer) (sent int, err error) {
	var all sync.WaitGroup
	defer all.Wait()
	var open atomic.Int64
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := range answers {
		a := &answers[n]
		a.Due = time.Duration(float64(n) / k.PerSecond * float64(time.Second))
		timer.Reset(time.Until(began.Add(a.Due)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return n, nil
		}
		request, err := k.Request(n)
		if err != nil {
			return n, err
		}
		if open.Load() >= inFlight {
			continue
		}
		open.Add(1)
		all.Go(func() {
			defer open.Add(-1)
			a.ask(client, request, k.Sound)
			a.Took = time.Since(began) - a.Due
		})
	}
	return len(answers), nil
}

// ask reads the whole answer: half of one is none.
func (a *Answer) ask(client *http.Client, request *http.Request, sound func(http.Header, int, []byte) bool) {
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	to := io.Discard
	if sound != nil {
		to = &body
	}
	if _, err := io.Copy(to, response.Body); err != nil {
		return
	}
	a.Status, a.Parts = response.StatusCode, response.Header.Get("Facet-Parts")
	a.Faulty = sound != nil && !sound(response.Header, response.StatusCode, body.Bytes())
}
