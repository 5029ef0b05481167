package cache

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/bytedance/sonic"
	"github.com/cespare/xxhash/v2"
)

// An entry as bytes: "fct" and the version; the xxhash of the key and of all
// that follows; flags; when stored, until when fresh and stale (nanoseconds of
// Unix time, by the store's clock); the size; the tags; the answer as JSON. The
// hash finds what was cut, flipped, or put under another key. It keeps accidents
// out, not forgers: who can write to the store can answer for the backends.
const (
	version    = 1
	headerSize = 4 + 8 + 1 + 4*8 + 1
	absentFlag = 1
)

// magic is what each entry begins with.
const magic = "fct\x01"

// codec keeps strings as they are, whatever bytes they hold. Those of an entry
// that was read share its memory.
var codec = sonic.Config{}.Froze()

var errRubbish = errors.New("not an entry")

// encode returns an entry as bytes. shift turns this process's time into the store's.
func encode[V any](key Key, e *Entry[V], shift time.Duration) ([]byte, error) {
	b := make([]byte, headerSize, headerSize+int(min(max(e.Size, 0), 1<<20))+64)
	copy(b, magic)
	if e.Absent {
		b[12] = absentFlag
	}
	for i, t := range []time.Time{e.Stored, e.Fresh, e.Stale} {
		binary.BigEndian.PutUint64(b[13+8*i:], uint64(t.Add(shift).UnixNano()))
	}
	binary.BigEndian.PutUint64(b[37:], uint64(max(e.Size, 0)))
	b[45] = byte(len(e.Tags)) //nolint:gosec // at most MaxTags
	for _, tag := range e.Tags {
		b = binary.BigEndian.AppendUint16(b, uint16(len(tag))) //nolint:gosec // at most MaxTag
		b = append(b, tag...)
	}
	if !e.Absent {
		body, err := codec.Marshal(&e.Value)
		if err != nil {
			return nil, err
		}
		b = append(b, body...)
	}
	binary.BigEndian.PutUint64(b[4:], checksum(key, string(b[12:])))
	return b, nil
}

// decode reads what encode wrote under the same key. Anything else is an error, also
// what a type that reads its own JSON panics over.
func decode[V any](key Key, text string, shift time.Duration) (e Entry[V], err error) {
	defer func() {
		if recover() != nil {
			e, err = Entry[V]{}, errRubbish
		}
	}()
	if len(text) < headerSize || text[:4] != magic || number(text[4:]) != checksum(key, text[12:]) {
		return e, errRubbish
	}
	e.Absent = text[12] == absentFlag
	for i, t := range []*time.Time{&e.Stored, &e.Fresh, &e.Stale} {
		*t = time.Unix(0, int64(number(text[13+8*i:]))).Add(-shift) //nolint:gosec // as it was written
	}
	e.Size = int64(number(text[37:])) //nolint:gosec // as it was written
	tags, body, ok := readTags(int(text[45]), text[headerSize:])
	if !ok || text[12] > absentFlag || e.Size < 0 || e.Stale.Before(e.Fresh) || e.Absent != (body == "") {
		return Entry[V]{}, errRubbish
	}
	e.Tags = tags
	if !e.Absent && codec.UnmarshalFromString(body, &e.Value) != nil {
		return Entry[V]{}, errRubbish
	}
	return e, nil
}

func readTags(n int, text string) (tags []string, rest string, ok bool) {
	if n > MaxTags {
		return nil, "", false
	}
	for range n {
		if len(text) < 2 {
			return nil, "", false
		}
		size := int(text[0])<<8 | int(text[1])
		if size > MaxTag || len(text) < 2+size {
			return nil, "", false
		}
		tags, text = append(tags, text[2:2+size]), text[2+size:]
	}
	return tags, text, true
}

func number(text string) (n uint64) {
	for i := range 8 {
		n = n<<8 | uint64(text[i])
	}
	return n
}

// checksum is over the key, too: an entry under another one's key is none.
func checksum(key Key, rest string) uint64 {
	var d xxhash.Digest
	d.Reset()
	for _, part := range [...]string{key.Command, ":", key.Shape, ":", key.Text, "\x00", rest} { // no command has a colon, no text a zero
		_, _ = d.WriteString(part) // it never fails
	}
	return d.Sum64()
}
