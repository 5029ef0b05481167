package admin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/admin"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serve runs the port until the returned function ends it, which tells how it ended.
func serve(t *testing.T, a *admin.Admin) (url string, stop func() error) {
	t.Helper()
	ln := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ctx, ln) }()
	return "http://" + ln.Addr().String(), func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("the port does not end")
		}
	}
}

func get(t *testing.T, url string) (int, string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestServeUntilToldToStop(t *testing.T) {
	t.Parallel()
	url, stop := serve(t, admin.New(admin.Options{}))
	status, body, err := get(t, url+"/healthz")
	if err != nil || status != 200 || !strings.Contains(body, "alive") {
		t.Errorf("%d %s %v, want 200", status, body, err)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, _, err := get(t, url+"/healthz"); err == nil {
		t.Error("the port still answers after its end")
	}
}

// TestStopCutsProfilesShort stops while a trace of a minute is taken.
func TestStopCutsProfilesShort(t *testing.T) {
	t.Parallel()
	url, stop := serve(t, admin.New(admin.Options{}))
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/debug/pprof/trace?seconds=60", http.NoBody)
		if err != nil {
			t.Error(err)
			close(begun)
			return
		}
		response, err := client.Do(request) // a trace sends its header at once
		close(begun)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = response.Body.Close() }() // it was only read
		_, _ = io.Copy(io.Discard, response.Body)    // it may be cut anywhere
	}()
	<-begun
	before := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	<-ended
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestServeTellsThatItsListenerFailed(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	_ = ln.Close()
	if err := admin.New(admin.Options{}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want %v", err, net.ErrClosed)
	}
}

// TestStopDoesNotWaitForSilence: net/http gives a connection on which nothing
// was ever sent 5 s.
func TestStopDoesNotWaitForSilence(t *testing.T) {
	t.Parallel()
	url, stop := serve(t, admin.New(admin.Options{}))
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()                                      // nothing was sent
	if status, _, err := get(t, url+"/healthz"); err != nil || status != 200 { // accepted after it
		t.Fatalf("%d %v", status, err)
	}
	before := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(before); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}
