// Package memcached keeps the second level of the cache in memcached servers:
// values only. There are no tags, no refresh that replicas share, and an
// invalidation by key reaches the servers but not the memory of other replicas.
//
// The client, gomemcache, knows no context: a call that its caller has given up
// goes on until the socket's time is over, a quarter of a second, and its caller's
// limit is that of [github.com/facet-gateway/facet/core/cache.Shared]. It reserves
// the memory that a server says a value has, up to 4 GiB, so what is configured
// as a server has to be one; memcached itself holds 1 MiB at most unless told
// otherwise. A key goes to one server by its hash; when one of several is gone,
// look-ups of many keys fail with it.
package memcached

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cespare/xxhash/v2"

	"github.com/facet-gateway/facet/core/cache"
)

// Store is a set of memcached servers. It is a [cache.Store], and no
// [cache.Coordinator].
type Store struct {
	client *memcache.Client
	prefix string
}

const (
	socketTimeout = 250 * time.Millisecond
	maxKey        = 250                 // memcached's own
	maxExpiry     = 30 * 24 * time.Hour // more would be taken for a date
)

// New returns the store of at least one server, each HOST:PORT; every replica has
// to have them in the same order. idle is how many connections are kept to each,
// the number of look-ups in flight for one. prefix begins every key. It connects
// with the first call, and asks for names' addresses with each connection.
func New(servers []string, prefix string, idle int) *Store {
	list := make(selector, len(servers))
	for i, s := range servers {
		list[i] = address(s)
	}
	client := memcache.NewFromSelector(list)
	client.Timeout = socketTimeout
	client.MaxIdleConns = idle
	return &Store{client: client, prefix: prefix + ":"}
}

// address is a server's, looked up when it is dialled: gomemcache's own list does
// that once, and fails where a name is not known at the start.
type address string

// Network is TCP.
func (address) Network() string { return "tcp" }

// String is HOST:PORT.
func (a address) String() string { return string(a) }

type selector []net.Addr

// PickServer chooses by the hash of the key.
func (s selector) PickServer(key string) (net.Addr, error) {
	if len(s) == 0 {
		return nil, memcache.ErrNoServers
	}
	return s[xxhash.Sum64String(key)%uint64(len(s))], nil
}

// Each visits the servers.
func (s selector) Each(visit func(net.Addr) error) error {
	for _, a := range s {
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

// key returns a key as memcached can hold it. A long one is hashed, by a hash that
// nobody finds another key of.
func (s *Store) key(k cache.Key) string {
	text := s.prefix + k.Command + ":" + k.Shape + ":" + k.Text
	if len(text) <= maxKey {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return s.prefix + "#" + hex.EncodeToString(sum[:])
}

// Get reads the values.
func (s *Store) Get(ctx context.Context, keys []cache.Key, _ int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	values := make([]string, len(keys))
	if len(keys) == 1 {
		item, err := s.client.Get(s.key(keys[0]))
		switch {
		case errors.Is(err, memcache.ErrCacheMiss):
			return values, nil
		case err != nil:
			return nil, err
		}
		values[0] = text(item)
		return values, nil
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = s.key(k)
	}
	items, err := s.client.GetMulti(names)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if item, ok := items[name]; ok {
			values[i] = text(item)
		}
	}
	return values, nil
}

// text returns a value. An empty one is there, and no entry.
func text(item *memcache.Item) string {
	if len(item.Value) == 0 {
		return "an empty value"
	}
	return string(item.Value)
}

// Write makes one change after the other, as long as ctx lasts: the client has no
// call for several.
func (s *Store) Write(ctx context.Context, writes []cache.Write) (done int, err error) {
	if len(writes) == 0 {
		return 0, s.client.Ping()
	}
	for _, w := range writes {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if e := s.change(w); e != nil {
			err = e
			continue
		}
		done++
	}
	return done, err
}

func (s *Store) change(w cache.Write) error {
	if w.Value == nil {
		err := s.client.Delete(s.key(w.Key))
		if errors.Is(err, memcache.ErrCacheMiss) {
			return nil
		}
		return err
	}
	return s.client.Set(&memcache.Item{Key: s.key(w.Key), Value: w.Value, Expiration: seconds(w.TTL)})
}

// seconds rounds up: the entry itself says until when it is of use.
func seconds(ttl time.Duration) int32 {
	return int32((min(ttl, maxExpiry) + time.Second - 1) / time.Second) //nolint:gosec // at most 30 days
}

// Close closes the connections.
func (s *Store) Close() { _ = s.client.Close() } // it says nothing that anybody could act on
