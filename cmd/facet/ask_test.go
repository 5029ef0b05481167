package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// client asks each time on a connection of its own, so that none is kept open
// when a program drains.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// answer is what a program said.
type answer struct {
	status int
	header http.Header
	body   string
}

// send asks once. The headers are pairs of name and value.
func send(t *testing.T, method, url, body string, headers ...string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// get asks for something that has to be answered.
func get(t *testing.T, url string, headers ...string) answer {
	t.Helper()
	a, err := send(t, http.MethodGet, url, "", headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// page asks for the product of an id as user u-7 does on a device.
func page(t *testing.T, gateway, device, id string) answer {
	t.Helper()
	return get(t, gateway+"/productdetails?productid="+id, "X-Device-Type", device, "X-User-Id", "u-7")
}

// breakService gives a simulated service a fault; "none" heals it.
func breakService(t *testing.T, faults, service, fault string) {
	t.Helper()
	a, err := send(t, http.MethodPut, faults+"/faults/"+service, fault)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("fault %s of %s: %d %s %v", fault, service, a.status, a.body, err)
	}
}

// inFlight returns how many requests a simulated service is holding, and how
// many it has had.
func inFlight(t *testing.T, faults, service string) (now, all int) {
	t.Helper()
	stats := decode[map[string]struct {
		Requests int `json:"requests"`
		InFlight int `json:"in_flight"`
	}](t, get(t, faults+"/stats").body)
	return stats[service].InFlight, stats[service].Requests
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}
