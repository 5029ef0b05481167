// Package store opens the shared cache that a configuration names: the one list
// of what there is to choose from.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/memcached"
	"github.com/facet-gateway/facet/core/cache/redis"
	"github.com/facet-gateway/facet/core/secret"
)

// Options say which store to share, if any, and within what bounds: plain data,
// named as the configuration's file does.
type Options struct {
	Redis        string   // an address as [redis.Parse] reads it; "": none
	Memcached    []string // servers, each HOST:PORT, in the order that every replica has; empty: none
	PasswordFile string   // of Redis: one line; "": what the address says
	Prefix       string   // of every key; two gateways on one server that are not replicas need two

	Timeout       time.Duration // these are those of [cache.Options]
	MaxLookups    int
	MaxEntryBytes int64
	MaxQueue      int
}

// Default returns what holds where the operator says nothing: no store.
func Default() Options {
	return Options{
		Prefix: "facet", Timeout: cache.DefaultTimeout, MaxLookups: cache.DefaultMaxLookups,
		MaxEntryBytes: cache.DefaultMaxEntry, MaxQueue: cache.DefaultMaxQueue,
	}
}

// Open returns the way to the store, nil where none is chosen. It reads the
// password and connects to nothing: a store that is not there is no reason not to
// start. Close it in the end.
func Open(o Options, log *slog.Logger) (*cache.Shared, error) {
	bounds := cache.Options{
		Timeout: o.Timeout, MaxLookups: o.MaxLookups, MaxEntryBytes: int(o.MaxEntryBytes), MaxQueue: o.MaxQueue,
	}
	switch {
	case o.Redis != "" && len(o.Memcached) > 0:
		return nil, errors.New("redis and memcached at once; allowed: one of them")
	case o.Redis != "":
		a, err := o.address()
		if err != nil {
			return nil, err
		}
		return cache.NewShared(redis.New(a, o.Prefix), bounds, log)
	case len(o.Memcached) > 0:
		return cache.NewShared(memcached.New(o.Memcached, o.Prefix, max(o.MaxLookups, 1)), bounds, log)
	}
	return nil, nil //nolint:nilnil // no store is a choice
}

// address is that of Redis, with its password.
func (o *Options) address() (redis.Address, error) {
	a, err := redis.Parse(o.Redis)
	if err == nil && o.PasswordFile != "" {
		a.Password, err = password(o.PasswordFile)
	}
	return a, err
}

func password(file string) (string, error) {
	text, err := secret.Read(file)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	return text, nil
}
