package redis

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/facet-gateway/facet/core/cache"
)

// Write sends all changes at once. Of changes that fail for different reasons the
// last error is returned.
func (s *Store) Write(ctx context.Context, writes []cache.Write) (done int, err error) {
	c, err := s.connected()
	if err != nil {
		return 0, err
	}
	if len(writes) == 0 { // somebody asks whether the server is there
		return 0, c.Do(ctx, c.B().Ping().Build()).Error()
	}
	results := c.DoMulti(ctx, s.changes(c, writes)...)
	if unloaded(results) { // the server is a new one: nothing of a call was done, and the rest can be done twice
		if err := s.scripts.put.load(ctx, c); err != nil {
			return 0, err
		}
		results = c.DoMulti(ctx, s.changes(c, writes)...)
	}
	for i, r := range results {
		if e := r.Error(); e != nil {
			err = e
		} else {
			done++
			s.known.note(writes[i].Key.Command, writes[i].Value != nil)
		}
	}
	return done, err
}

func unloaded(results []rueidis.RedisResult) bool {
	for _, r := range results {
		if unknownScript(r.Error()) {
			return true
		}
	}
	return false
}

func (s *Store) changes(c rueidis.Client, writes []cache.Write) rueidis.Commands {
	list := make(rueidis.Commands, len(writes))
	for i, w := range writes {
		if w.Value == nil {
			list[i] = c.B().Unlink().Key(s.entry(w.Key)).Build()
		} else {
			list[i] = s.put(c, w)
		}
	}
	return list
}

func (s *Store) put(c rueidis.Client, w cache.Write) rueidis.Completed {
	keys := make([]string, 0, 3+2*len(w.Tags))
	keys = append(keys, s.entry(w.Key), s.shapesOf(w.Key.Command), s.goneKey(w.Key.Command, w.Key.Text))
	for _, tag := range w.Tags {
		keys = append(keys, s.goneTag(tag), s.tagged(tag))
	}
	shape := ""
	if s.known.due(w.Key.Command) {
		shape = w.Key.Shape
	}
	return s.scripts.put.call(c, keys, []string{
		rueidis.BinaryString(w.Value), decimal(max(w.TTL.Milliseconds(), 1)), decimal(w.Stored.UnixMicro()),
		shape, decimal(shapeLife.Milliseconds()),
	})
}

// entry is prefix and key, joined at once: it is on the way of every look-up.
func (s *Store) entry(k cache.Key) string { return s.prefix + k.Command + ":" + k.Shape + ":" + k.Text }

func (s *Store) shapesOf(command string) string { return s.prefix + "!shapes:" + command }
func (s *Store) goneKey(command, text string) string {
	return s.prefix + "!gone:" + command + ":" + text
}
func (s *Store) goneTag(tag string) string { return s.prefix + "!gone!tag:" + tag }
func (s *Store) tagged(tag string) string  { return s.prefix + "!tag:" + tag }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// A build notes the shape in which it writes a command's entries once in a while,
// so that an invalidation finds those of every build that runs. The note outlives
// every entry.
const (
	shapeEvery = time.Minute
	shapeLife  = 31 * 24 * time.Hour
)

// shapes is when each command's shape was noted last; there are as many as the
// build has commands.
type shapes struct {
	mu    sync.Mutex
	noted map[string]time.Time
}

func (s *shapes) due(command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.noted[command]
	return !ok || time.Since(last) >= shapeEvery
}

// note is for when a change was made, of a value or not.
func (s *shapes) note(command string, value bool) {
	if !value || !s.due(command) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted == nil {
		s.noted = make(map[string]time.Time)
	}
	s.noted[command] = time.Now()
}

// forget is for a server that may have lost the notes.
func (s *shapes) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.noted)
}
