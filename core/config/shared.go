package config

import (
	"net"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/cache/redis"
	"github.com/facet-gateway/facet/core/cache/store"
)

const (
	maxMemcached  = 100
	maxCachePfx   = 32
	serverRule    = "HOST:PORT, such as 127.0.0.1:11211"
	exampleServer = "redis://127.0.0.1:6379"
)

func decodeShared(v value, o *store.Options) {
	v.fields(
		set("redis", &o.Redis, redisAddress),
		set("memcached", &o.Memcached, distinct(cacheServer, maxMemcached)),
		set("password_file", &o.PasswordFile, fileName),
		set("prefix", &o.Prefix, cachePrefix),
		set("timeout", &o.Timeout, within(duration, time.Millisecond, time.Second)),
		set("max_lookups", &o.MaxLookups, within(count, 1, 10_000)),
		set("max_entry_bytes", &o.MaxEntryBytes, bytesWithin(1<<10, 64<<20)),
		set("max_queue", &o.MaxQueue, within(count, 1, 1_000_000)),
	)
	hasRedis := o.Redis != ""
	if second, ok := v.find("memcached"); ok && hasRedis && len(o.Memcached) > 0 {
		second.failKey("is given beside cache.redis; allowed: one of them")
	}
	if file, ok := v.find("password_file"); ok && o.PasswordFile != "" && !hasRedis {
		file.failKey("is given without cache.redis; allowed: with it")
	}
}

// redisAddress reads a URL without a password: a file is shown around and kept in
// repositories. A refused one is not repeated, since it may hold one.
func redisAddress(v value) (string, bool) {
	text, ok := scalar(v, exampleServer)
	if !ok {
		return "", false
	}
	a, err := redis.Parse(text)
	switch host := a.Server[:max(strings.LastIndexByte(a.Server, ':'), 0)]; {
	case err != nil, !isHost(strings.Trim(host, "[]")):
		v.fail("is not an address of Redis; %s", redis.ErrAddress)
	case a.Password != "":
		v.fail("holds a password; allowed: redis://[USER@]HOST:PORT, and the password in password_file")
	default:
		return text, true
	}
	return "", false
}

// cacheServer reads HOST:PORT of a server.
func cacheServer(v value) (string, bool) {
	text, ok := scalar(v, "127.0.0.1:11211")
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isHost(host) || !isPort(port) || port == "0" {
		v.fail("%q is not an address; allowed: %s", shorten(text), serverRule)
		return "", false
	}
	return text, true
}

func fileName(v value) (string, bool) {
	text, ok := scalar(v, "/run/secrets/redis")
	if ok && text == "" {
		v.fail("is empty; allowed: the name of a file")
		return "", false
	}
	return text, ok
}

func cachePrefix(v value) (string, bool) {
	text, ok := scalar(v, "facet")
	if ok && (!isWord(text) || len(text) > maxCachePfx) {
		v.fail("%q is not a prefix; allowed: 1 to %d letters, digits, - and _", shorten(text), maxCachePfx)
		return "", false
	}
	return text, ok
}

// bytesWithin reads a size as a number of bytes.
func bytesWithin(low, high Size) reader[int64] {
	read := within(size, low, high)
	return func(v value) (int64, bool) {
		s, ok := read(v)
		return int64(s), ok
	}
}
