package simulator

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"time"
)

const (
	oversizeBytes = 8 << 20
	hugeBytes     = 1 << 30
	chunkBytes    = 64 << 10
	lists         = 100_000 // within each other

	maintenance = "<!doctype html><title>Maintenance</title><p>We will be right back.</p>"
)

// harm answers a request the wrong way that the injury wants.
func (s *service) harm(w http.ResponseWriter, r *http.Request, i *injury) {
	if share := i.errorShare(); share > 0 && s.random.float() < share {
		errorAnswer(i.errorStatus(), "injected").write(w)
		return
	}
	if i.Down {
		panic(http.ErrAbortHandler)
	}
	a := s.answer(r)
	switch {
	case i.Reset:
		reset(w, a)
	case i.Drip > 0:
		drip(w, r, a, i)
	default:
		spoil(w, a, &i.Fault)
	}
}

// spoil sends a body that is wrong, or too much, over a connection that is well.
func spoil(w http.ResponseWriter, a *answer, f *Fault) {
	switch {
	case f.Truncated:
		newAnswer(a.status, a.body[:len(a.body)/2]).write(w)
	case f.Garbage:
		garbage(w, a)
	case f.WrongType:
		wrongType(w)
	case f.Deep:
		deep(w, a)
	case f.Oversize:
		pad(w, a, oversizeBytes)
	case f.Huge:
		pad(w, a, hugeBytes)
	case f.Bomb:
		bomb(w)
	default:
		a.write(w)
	}
}

// reset sends half of what it promised, then breaks the connection off.
func reset(w http.ResponseWriter, a *answer) {
	a.writeHeader(w)
	_, _ = w.Write(a.body[:len(a.body)/2]) // the client may be gone
	control := http.NewResponseController(w)
	_ = control.Flush() // as above
	conn, _, err := control.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the next best end
	}
	breakOff(conn)
}

// garbage is JSON by its header only.
func garbage(w http.ResponseWriter, a *answer) {
	cut := bytes.Clone(a.body[:len(a.body)/2])
	newAnswer(http.StatusOK, append(cut, "\x00}{"...)).write(w)
}

// wrongType is what a proxy in between might say.
func wrongType(w http.ResponseWriter) {
	w.Header()["Content-Type"] = []string{"text/html; charset=utf-8"}
	_, _ = w.Write([]byte(maintenance)) // the client may be gone
}

// deep is the right answer with a field before the others that only a reader with
// a stack of its own, or a limit, gets past.
func deep(w http.ResponseWriter, a *answer) {
	body := append([]byte(`{"padding":`), bytes.Repeat([]byte{'['}, lists)...)
	body = append(append(body, bytes.Repeat([]byte{']'}, lists)...), ',')
	newAnswer(a.status, append(body, a.body[1:]...)).write(w)
}

// pad is the right answer with a field of some bytes before the others: only a
// limit on its length can refuse it.
func pad(w http.ResponseWriter, a *answer, padding int) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(a.status)
	chunk := bytes.Repeat([]byte{'x'}, chunkBytes)
	_, err := w.Write([]byte(`{"padding":"`))
	for sent := 0; sent < padding && err == nil; sent += len(chunk) {
		_, err = w.Write(chunk)
	}
	if err == nil {
		_, _ = w.Write(append([]byte(`",`), a.body[1:]...)) // the client may be gone
	}
}

// bomb is a file of gzip as RFC 1952, section 2.2 allows it, of 1,024 equal members:
// a MiB of blanks each takes 1 KiB.
func bomb(w http.ResponseWriter) {
	var member bytes.Buffer
	to := gzip.NewWriter(&member)
	blanks := bytes.Repeat([]byte{' '}, chunkBytes)
	for range (1 << 20) / chunkBytes {
		_, _ = to.Write(blanks) // into memory
	}
	_ = to.Close() // as above
	w.Header()["Content-Type"] = jsonType
	w.Header()["Content-Encoding"] = []string{"gzip"}
	w.WriteHeader(http.StatusOK)
	var err error
	for sent := 0; sent < hugeBytes && err == nil; sent += 1 << 20 {
		_, err = w.Write(member.Bytes())
	}
}

// drip sends a byte at a time. When the fault is replaced the rest follows at once.
func drip(w http.ResponseWriter, r *http.Request, a *answer, i *injury) {
	a.writeHeader(w)
	control := http.NewResponseController(w)
	ticker := time.NewTicker(i.Drip)
	defer ticker.Stop()
	for at := range a.body {
		extend(w)
		if _, err := w.Write(a.body[at : at+1]); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-i.replaced:
			_, _ = w.Write(a.body[at+1:]) // the client may be gone
			return
		case <-r.Context().Done():
			return
		}
	}
}
