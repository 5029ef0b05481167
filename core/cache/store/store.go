// Package store opens the shared cache that a configuration names: the one list
// of what there is to choose from.
package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/memcached"
	"github.com/facet-gateway/facet/core/cache/redis"
)

// Options say which store to share, if any, and within what bounds.
type Options struct {
	Redis        redis.Address // zero: none
	Memcached    []string      // servers, each HOST:PORT, in the order that every replica has; empty: none
	PasswordFile string        // of Redis: one line; "": no password
	Prefix       string        // of every key; two gateways on one server that are not replicas need two
	cache.Options
}

// Default returns what holds where the operator says nothing: no store.
func Default() Options {
	return Options{Prefix: "facet", Options: cache.Options{
		Timeout: cache.DefaultTimeout, MaxLookups: cache.DefaultMaxLookups,
		MaxValue: cache.DefaultMaxValue, MaxQueue: cache.DefaultMaxQueue,
	}}
}

// Open returns the way to the store, nil where none is chosen. It reads the
// password and connects to nothing: a store that is not there is no reason not to
// start. Close it in the end.
func Open(o Options) (*cache.Shared, error) {
	switch {
	case o.Redis != redis.Address{} && len(o.Memcached) > 0:
		return nil, errors.New("redis and memcached at once; allowed: one of them")
	case o.Redis != redis.Address{}:
		if o.PasswordFile != "" {
			password, err := readPassword(o.PasswordFile)
			if err != nil {
				return nil, err
			}
			o.Redis.Password = password
		}
		return cache.NewShared(redis.New(o.Redis, o.Prefix), o.Options)
	case len(o.Memcached) > 0:
		return cache.NewShared(memcached.New(o.Memcached, o.Prefix, max(o.MaxLookups, 1)), o.Options)
	}
	return nil, nil //nolint:nilnil // no store is a choice
}

const maxPassword = 4 << 10

// readPassword returns the one line of a file. No error repeats it.
func readPassword(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 || len(text) > maxPassword || bytes.ContainsAny(text, "\r\n\x00") {
		return "", fmt.Errorf("password_file: %s is not a password; allowed: one line of at most 4096 bytes", file)
	}
	return string(text), nil
}
