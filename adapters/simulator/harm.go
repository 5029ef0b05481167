package simulator

import (
	"bytes"
	"net/http"
	"time"
)

const (
	oversizeBytes = 8 << 20
	chunkBytes    = 64 << 10
)

// harm answers a request the wrong way that the injury wants.
func (s *service) harm(w http.ResponseWriter, r *http.Request, i *injury) {
	if share := i.errorShare(); share > 0 && s.random.float() < share {
		errorAnswer(i.errorStatus(), "injected").write(w)
		return
	}
	a := s.answer(r)
	switch {
	case i.Down:
		panic(http.ErrAbortHandler)
	case i.Reset:
		reset(w, a)
	case i.Garbage:
		garbage(w, a)
	case i.WrongType:
		wrongType(w)
	case i.Oversize:
		oversize(w, a)
	case i.Drip > 0:
		drip(w, r, a, i)
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
	_, _ = w.Write([]byte("<!doctype html><title>Maintenance</title><p>We will be right back.</p>")) // the client may be gone
}

// oversize is the right answer with a field of 8 MiB before the others: only a
// limit on its length can refuse it.
func oversize(w http.ResponseWriter, a *answer) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(a.status)
	chunk := bytes.Repeat([]byte{'x'}, chunkBytes)
	_, err := w.Write([]byte(`{"padding":"`))
	for sent := 0; sent < oversizeBytes && err == nil; sent += len(chunk) {
		_, err = w.Write(chunk)
	}
	if err == nil {
		_, _ = w.Write(append([]byte(`",`), a.body[1:]...)) // the client may be gone
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
