package redis

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/facet-gateway/facet/core/cache"
)

// maxMessage is longer than any invalidation.
const maxMessage = 4 << 10

func (s *Store) channel() string { return s.prefix + "!invalidated" }

// Invalidate runs the script that drops, marks and tells at one instant.
func (s *Store) Invalidate(ctx context.Context, i cache.Invalidation, shape string, keep time.Duration) (time.Time, int, error) {
	c, err := s.connected()
	if err != nil {
		return time.Time{}, 0, err
	}
	i.At = time.Time{} // the script puts its own before the message
	message, err := json.Marshal(i)
	if err != nil {
		return time.Time{}, 0, err
	}
	keys := []string{s.goneTag(i.Tag), s.tagged(i.Tag)}
	args := []string{decimal(keep.Milliseconds()), s.channel(), string(message)}
	if i.Tag == "" {
		keys = []string{s.goneKey(i.Command, i.Key), s.shapesOf(i.Command)}
		args = append(args, s.prefix+i.Command+":", ":"+i.Key, shape)
	}
	said, err := s.scripts.invalidate.run(ctx, c, keys, args).AsStrSlice()
	if err != nil {
		return time.Time{}, 0, err
	}
	if len(said) != 2 {
		return time.Time{}, 0, errors.New("redis: the script says something else")
	}
	dropped, err := strconv.Atoi(said[1])
	if err != nil {
		return time.Time{}, 0, err
	}
	at, err := instant(said[0])
	return at, dropped, err
}

func instant(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(n), nil
}

var errLost = errors.New("redis: the subscription ended")

// Watch listens on the channel of invalidations. It shares the connection of the
// look-ups, whose bounds find a server that hangs.
func (s *Store) Watch(ctx context.Context, started func(), heard func(cache.Invalidation)) error {
	c, err := s.connected()
	if err != nil {
		return err
	}
	s.known.forget() // the server may be another one
	hooked := rueidis.WithOnSubscriptionHook(ctx, func(e rueidis.PubSubSubscription) {
		if e.Kind == "subscribe" {
			started()
		}
	})
	err = c.Receive(hooked, c.B().Subscribe().Channel(s.channel()).Build(), func(m rueidis.PubSubMessage) {
		if i, ok := invalidation(m.Message); ok {
			heard(i)
		}
	})
	if err == nil {
		return errLost
	}
	return err
}

// invalidation reads a message; what is none is left alone.
func invalidation(message string) (cache.Invalidation, bool) {
	var i cache.Invalidation
	at, body, ok := strings.Cut(message, " ")
	if !ok || len(message) > maxMessage || json.Unmarshal([]byte(body), &i) != nil || i.All {
		return i, false
	}
	t, err := instant(at)
	i.At = t
	return i, err == nil
}
