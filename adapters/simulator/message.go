package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/message"
)

const (
	maxQuestions   = 4096 // of one transport that are answered at once; more get 503
	maxHugeMessage = 16 << 20
	longestAnswer  = 30 * time.Second // for a question that says no time
	longestTold    = 10 * time.Minute
)

// crowd answers the messages of a transport, each on a goroutine of its own.
type crowd struct {
	life  context.Context //nolint:containedctx // of the goroutines
	end   context.CancelFunc
	slots chan struct{}

	mu      sync.Mutex // so that nothing begins once it has ended
	running sync.WaitGroup
}

func newCrowd() *crowd {
	c := &crowd{slots: make(chan struct{}, maxQuestions)}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// run runs something beside, that ends with the crowd's life; not any more once that is over.
func (c *crowd) run(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() == nil {
		c.running.Go(f)
	}
}

// stop ends the life.
func (c *crowd) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// close ends what runs, and waits for it.
func (c *crowd) close() {
	c.stop()
	c.running.Wait()
}

// question is a message as the transports have it in common.
type question struct {
	target string              // of the equal request over HTTP; "": it cannot be read
	head   func(string) string // what went along, by its name
}

// errSilence is the end of a message that is not answered, because nobody waits for it.
var errSilence = errors.New("nobody waits for an answer")

// reply is an answer as the transports have it in common.
type reply struct {
	status int
	kind   string // content type
	cache  string
	body   []byte
}

// answer has a question answered: say gets the answer, or errBrokenOff or errSilence.
func (c *crowd) answer(s *service, q question, say func(reply, error)) {
	select {
	case c.slots <- struct{}{}:
	default:
		say(replyOf(errorAnswer(http.StatusServiceUnavailable, "overloaded")), nil)
		return
	}
	c.run(func() {
		defer func() { <-c.slots }()
		ctx, cancel := context.WithTimeout(c.life, timeLeft(q.head(message.TimeoutMs)))
		defer cancel()
		say(s.reply(ctx, q))
	})
}

// reply takes a question through the service's fault.
func (s *service) reply(ctx context.Context, q question) (reply, error) {
	if q.target == "" {
		return replyOf(badField("body")), nil
	}
	header := http.Header{}
	for _, name := range []string{message.Traceparent, message.RequestID, message.TimeoutMs} {
		if value := q.head(name); value != "" {
			header.Set(name, value)
		}
	}
	a, harm, err := s.take(asRequest(ctx, q.target, header))
	switch {
	case ctx.Err() != nil:
		return reply{}, errSilence
	case err != nil:
		return reply{}, err
	case harm.Reset:
		return reply{}, errBrokenOff
	}
	r := replyOf(a)
	r.spoil(&harm)
	return r, nil
}

// timeLeft reads how long a question is waited for.
func timeLeft(text string) time.Duration {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 1 || ms > longestTold.Milliseconds() {
		return longestAnswer
	}
	return time.Duration(ms) * time.Millisecond
}

func replyOf(a *answer) reply {
	return reply{status: a.status, kind: jsonType[0], cache: strings.Join(a.cache, ", "), body: a.body}
}

// said is what the backend says of an answer that is an error; it is short.
func (r *reply) said() string { return string(r.body[:min(len(r.body), maxSaid)]) }

const maxSaid = 200

// spoil does to an answer what [spoil] does to one over HTTP. A message is sent as a
// whole, so what is Huge is no more than 16 MiB, and a Bomb is its gzip.
func (r *reply) spoil(f *Fault) {
	switch {
	case f.Truncated:
		r.body = r.body[:len(r.body)/2]
	case f.Garbage:
		r.status, r.body = http.StatusOK, append(bytes.Clone(r.body[:len(r.body)/2]), "\x00}{"...)
	case f.WrongType:
		r.status, r.kind, r.body = http.StatusOK, "text/html; charset=utf-8", []byte(maintenance)
	case f.Deep:
		r.body = padded(r.body, strings.Repeat("[", lists)+strings.Repeat("]", lists))
	case f.Oversize:
		r.body = padded(r.body, `"`+strings.Repeat("x", oversizeBytes)+`"`)
	case f.Huge:
		r.body = padded(r.body, `"`+strings.Repeat("x", maxHugeMessage)+`"`)
	case f.Bomb:
		r.body = bytes.Repeat([]byte("\x1f\x8b\x08\x00"), chunkBytes)
	}
}

// padded is a body with a field before the others.
func padded(body []byte, value string) []byte {
	return append([]byte(`{"padding":`+value+","), body[1:]...)
}

// stockTarget is the request over HTTP that a question to the inventory equals; "" if it
// cannot be read.
func stockTarget(method string, body []byte) string {
	switch method {
	case wire.InventoryStock:
		var q wire.StockQuery
		if json.Unmarshal(body, &q) == nil {
			return "/stock/" + url.PathEscape(q.Product)
		}
	case wire.InventoryStocks:
		var q wire.StocksQuery
		if json.Unmarshal(body, &q) == nil {
			return "/stock?products=" + strings.ReplaceAll(url.QueryEscape(strings.Join(q.Products, ",")), "%2C", ",")
		}
	default:
		return "/unknown"
	}
	return ""
}

// optionsTarget is stockTarget for the shipping service.
func optionsTarget(body []byte) string {
	var q wire.OptionsQuery
	if json.Unmarshal(body, &q) != nil {
		return ""
	}
	target := "/options?product=" + url.QueryEscape(q.Product) + "&weight=" + strconv.Itoa(q.WeightGrams)
	if q.Postcode != "" {
		target += "&postcode=" + url.QueryEscape(q.Postcode)
	}
	return target
}
