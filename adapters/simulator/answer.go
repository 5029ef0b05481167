package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

const maxBodyBytes = 16 << 10 // of a request

// answer is what a service says, encoded. It may be shared: nothing changes it.
type answer struct {
	status int
	body   []byte // a JSON object
	value  any    // that the body was encoded from; nil: of several
	length []string
	cache  []string // of the Cache-Control header; nil: none
	allow  []string // of the Allow header; nil: none
}

// Header values that every answer shares; nobody changes them.
//
//nolint:gochecknoglobals // a slice made for each answer is what this spares
var (
	jsonType = []string{"application/json"}
	nothing  = errorAnswer(http.StatusNotFound, "not_found")
)

func newAnswer(status int, body []byte) *answer {
	return &answer{status: status, body: body, length: []string{strconv.Itoa(len(body))}}
}

// encode returns the answer 200 with v as its body. Values here always encode:
// they are structs of strings and numbers.
func encode(v any) *answer {
	body, err := json.Marshal(v)
	if err != nil {
		return errorAnswer(http.StatusInternalServerError, "internal")
	}
	a := newAnswer(http.StatusOK, body)
	a.value = v
	return a
}

// keep says for how long a good answer may be kept.
func (a *answer) keep(maxAge time.Duration) *answer {
	if a.status != http.StatusOK {
		return a
	}
	a.cache = []string{"max-age=" + strconv.Itoa(int(maxAge/time.Second))}
	return a
}

func (a *answer) write(w http.ResponseWriter) {
	a.writeHeader(w)
	_, _ = w.Write(a.body) // the client may be gone
}

func (a *answer) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = a.length
	if a.cache != nil {
		h["Cache-Control"] = a.cache
	}
	if a.allow != nil {
		h["Allow"] = a.allow
	}
	switch a.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(a.status)
}

// problem is the body of an answer that is an error.
type problem struct {
	Error  string `json:"error"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func errorAnswer(status int, name string) *answer {
	a := encode(problem{Error: name})
	a.status = status
	return a
}

// only answers requests of one method and refuses others.
func only(method string, next answerer) answerer {
	refusal := knowsOnly(method)
	return func(r *http.Request) *answer {
		if r.Method != method {
			return refusal
		}
		return next(r)
	}
}

// knowsOnly is the 405 that names the methods of a path.
func knowsOnly(methods string) *answer {
	refusal := errorAnswer(http.StatusMethodNotAllowed, fault.MethodNotAllowed.String())
	refusal.allow = []string{methods}
	return refusal
}

// badField is the 400 that names a field of the request.
func badField(name string) *answer {
	a := encode(problem{Error: fault.Invalid.String(), Field: name})
	a.status = http.StatusBadRequest
	return a
}

// readForm reads the body of a request, which is a form if there is one; false
// if it is too large, too slow or malformed.
func readForm(w http.ResponseWriter, r *http.Request) bool {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // a closed connection tells itself
	r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
	err := r.ParseForm()
	_ = control.SetReadDeadline(time.Time{}) // as above
	return err == nil
}
