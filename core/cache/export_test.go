package cache

import (
	"encoding/binary"
	"reflect"
	"time"
)

// For the tests: an entry's bytes, and a type's shape.
func Encode[V any](key string, e *Entry[V], shift time.Duration) ([]byte, error) {
	return encode(Key{Text: key}, e, shift)
}

func Decode[V any](key, text string, shift time.Duration) (Entry[V], error) {
	return decode[V](Key{Text: key}, text, shift)
}

// Seal makes an entry of what follows its checksum, as only a forger would.
func Seal(key, rest string) string {
	sum := binary.BigEndian.AppendUint64(nil, checksum(Key{Text: key}, rest))
	return magic + string(sum) + rest
}

func ShapeOf[K, V any]() (string, error) { return shapeOf(reflect.TypeFor[K](), reflect.TypeFor[V]()) }

// Recent is the record of invalidations.
type Recent = recent

func (r *recent) Note(command, key, tag string, at time.Time) bool {
	return r.note(subject{command, key, tag}, at)
}

func (r *recent) Since(moment time.Time, command, key string, tags ...string) bool {
	return r.since(moment, command, key, tags)
}

func (r *recent) Len() int { return len(r.order) + len(r.at) }

const MaxRecent = maxRecent
