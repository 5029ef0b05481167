package playground_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzTry: whatever is asked, the answer is JSON, and no question is a defect of
// the gateway's.
func FuzzTry(f *testing.F) {
	for _, seed := range []string{
		`{"path":"/item","query":"id=a","device":"phone","version":"phone/v2","user":"u-1"}`,
		`{"path":"/item","query":"id=%00","header":[{"name":"Accept-Encoding","value":"gzip"},{"name":"X-Device-Type","value":"tv"}]}`,
		`{"path":"/%2e%2e/item","query":"&&=&id"}`, `{"path":"//a"}`, `{"path":"/*","query":"%"}`, `{"path":"/:"}`,
		`{"path":"/\u2028"}`, `[]`, ``,
	} {
		f.Add(seed)
	}
	h := newPlayground(f)
	f.Fuzz(func(t *testing.T, question string) {
		w := ask(h, "POST", "/playground/try", question, "Content-Type: application/json")
		var told struct{ Status int }
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
			t.Fatalf("%q: %v", w.Body, err)
		}
		if w.Code >= http.StatusInternalServerError || told.Status == http.StatusInternalServerError {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
