package payload_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
)

type product struct {
	ID string `json:"id"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ body, id, fault string }{
		"an object":           {`{"id":"a","more":[1]}`, "a", ""},
		"bad UTF-8":           {"{\"id\":\"\xff\"}", "\ufffd", ""},
		"empty":               {"", "", "no body"},
		"blank":               {" \n", "", "no body"},
		"null":                {" null\n", "", "no body"},
		"no JSON":             {"<html>s3cret</html>", "", "not JSON at byte"},
		"cut short":           {`{"id":"s3cret`, "", "not JSON"},
		"more than one value": {`{"id":"a"}{"id":"s3cret"}`, "", "not JSON"},
		"another type":        {`{"id":["s3cret"]}`, "", "another type at byte"},
		"a control character": {"{\"id\":\"\n\"}", "", "not JSON"},
	} {
		var got product
		err := payload.Decode(row.body, &got)
		if (err == nil) != (row.fault == "") || err == nil && got.ID != row.id {
			t.Errorf("%s: got %q, %v", name, got.ID, err)
		}
		if err != nil && (!strings.Contains(err.Error(), row.fault) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeApartKeepsNothing(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	var got product
	body := `{"id":"a","more":"` + strings.Repeat("x", size) + `"}`
	if err := payload.DecodeApart(body, &got); err != nil || got.ID != "a" {
		t.Fatal(got, err)
	}
	body = ""
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > size {
		t.Errorf("%d bytes are kept", m.HeapAlloc)
	}
	runtime.KeepAlive(got)
	runtime.KeepAlive(body)
}

func TestIsJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON;charset=UTF-8": true,
		"application/problem+json": true, "application/json; charset=latin1": false, "text/json": false, "": false, ";": false,
	} {
		if payload.IsJSON(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[payload.Status]struct {
		reason  fault.Reason
		code    fault.Code
		refused bool
	}{
		200: {fault.None, fault.Internal, false}, 299: {fault.None, fault.Internal, false},
		0: {fault.ReasonInvalid, fault.BadAnswer, false}, -1: {fault.ReasonInvalid, fault.BadAnswer, false},
		302: {fault.ReasonInvalid, fault.BadAnswer, false},
		400: {fault.ReasonError, fault.BadAnswer, true}, 403: {fault.ReasonError, fault.BadAnswer, true},
		404: {fault.ReasonNotFound, fault.NotFound, false},
		408: {fault.ReasonError, fault.Unavailable, false}, 429: {fault.ReasonError, fault.Unavailable, false},
		500: {fault.ReasonError, fault.Unavailable, false}, 999: {fault.ReasonError, fault.Unavailable, false},
	} {
		err := payload.Fault(status.Reason(), status)
		if status.Reason() != want.reason || fault.CodeOf(err) != want.code || errors.Is(err, fault.ErrRefused) != want.refused {
			t.Errorf("%v: got %v", status, err)
		}
	}
}
