package exposure_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/exposure"
)

// muchWait is less than the 2 s that an attempt to connect may take, and far more than
// what does not wait for one takes on a busy machine.
const muchWait = 1500 * time.Millisecond

// serve starts a real NATS server on loopback, on a free port unless it is told one.
func serve(t *testing.T, o server.Options) (*server.Server, string) {
	t.Helper()
	o.Host, o.NoLog, o.NoSigs = "127.0.0.1", true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { kill(s) })
	if !s.ReadyForConnections(long) {
		t.Fatal("the NATS server did not start")
	}
	return s, "nats://" + s.Addr().String()
}

func kill(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func portOf(s *server.Server) int { return s.Addr().(*net.TCPAddr).Port }

// subscribe returns the messages of a subject.
func subscribe(t *testing.T, url, subject string) <-chan *nats.Msg {
	t.Helper()
	c, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	messages := make(chan *nats.Msg, 1024)
	if _, err = c.ChanSubscribe(subject, messages); err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// next returns the next message, or fails.
func next(t *testing.T, messages <-chan *nats.Msg) []byte {
	t.Helper()
	select {
	case m := <-messages:
		return m.Data
	case <-time.After(long):
		t.Fatal("no message came")
		return nil
	}
}

func connected(t *testing.T, r *exposure.Recorder) {
	t.Helper()
	eventually(t, "the recorder is connected", func() bool { return r.Stats().Connected })
}

func TestMessageIsARecordOfOTLP(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	messages := subscribe(t, url, "facet.exposure")
	r := start(t, exposure.Options{NATS: []string{url}, Replica: "gw-1"}, new(book))
	r.Seen(with(seen("u-7"), func(e *exposure.Event) { e.Assigned.Why = rollout.Forced }))
	const want = `{"resourceLogs":[{"resource":{"attributes":[` +
		`{"key":"service.name","value":{"stringValue":"facet"}},` +
		`{"key":"service.instance.id","value":{"stringValue":"gw-1"}}]},` +
		`"scopeLogs":[{"scope":{"name":"github.com/facet-gateway/facet/core/rollout/exposure"},"logRecords":[{` +
		`"timeUnixNano":"1772366400000000000","observedTimeUnixNano":"1772366400000000000","severityNumber":9,` +
		`"eventName":"feature_flag.evaluation","attributes":[` +
		`{"key":"feature_flag.key","value":{"stringValue":"phone/reviews-first"}},` +
		`{"key":"feature_flag.result.variant","value":{"stringValue":"phone/v2"}},` +
		`{"key":"feature_flag.result.reason","value":{"stringValue":"targeting_match"}},` +
		`{"key":"feature_flag.context.id","value":{"stringValue":"u-7"}},` +
		`{"key":"feature_flag.version","value":{"stringValue":"17"}},` +
		`{"key":"feature_flag.provider.name","value":{"stringValue":"facet"}},` +
		`{"key":"facet.arm","value":{"stringValue":"candidate"}},` +
		`{"key":"facet.forced","value":{"boolValue":true}},` +
		`{"key":"facet.request_id","value":{"stringValue":"req-1"}}],` +
		`"traceId":"4bf92f35000000000000000000000036"}]}]}]}`
	if got := string(next(t, messages)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// unitOf returns whom a message tells of.
func unitOf(t *testing.T, message []byte) string {
	t.Helper()
	var m struct {
		ResourceLogs []struct {
			ScopeLogs []struct {
				LogRecords []struct {
					Attributes []struct {
						Key   string
						Value struct{ StringValue string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(message, &m); err != nil {
		t.Fatal(err)
	}
	for _, a := range m.ResourceLogs[0].ScopeLogs[0].LogRecords[0].Attributes {
		if a.Key == "feature_flag.context.id" {
			return a.Value.StringValue
		}
	}
	t.Fatalf("no unit in %s", message)
	return ""
}

func TestUnitsReachNATSOnceAndTheLogAsWell(t *testing.T) {
	t.Parallel()
	const units = 500
	_, url := serve(t, server.Options{})
	messages := subscribe(t, url, "shop.seen")
	var b book
	r := start(t, exposure.Options{Log: true, NATS: []string{url}, Subject: "shop.seen"}, &b)
	for range 3 {
		for u := range units {
			r.Seen(seen(strconv.Itoa(u)))
		}
	}
	if err := stop(r); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for range units {
		got[unitOf(t, next(t, messages))]++
	}
	if len(got) != units || len(messages) != 0 {
		t.Errorf("%d units and %d messages more, want %d units", len(got), len(messages), units)
	}
	if s := r.Stats(); s.Published != units || s.Logged != units || s.Repeated != 2*units || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
	if n := len(b.exposures("event.name")); n != units {
		t.Errorf("%d lines", n)
	}
}

// keep has a server keep what is told, so that nothing depends on who listens when.
func keep(t *testing.T, url string) (count func() uint64) {
	t.Helper()
	c, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*long)
	t.Cleanup(cancel)
	if _, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "exposures", Subjects: []string{"facet.exposure"}}); err != nil {
		t.Fatal(err)
	}
	return func() uint64 {
		s, err := js.Stream(ctx, "exposures")
		if err != nil {
			return 0
		}
		return s.CachedInfo().State.Msgs
	}
}

// TestNATSIsKilledAndBack: requests do not notice, what fits is kept, the rest is
// counted and told later, and the log says so once.
func TestNATSIsKilledAndBack(t *testing.T) {
	t.Parallel()
	const units = 10_000 // some 10 MB of messages
	options := server.Options{JetStream: true, StoreDir: t.TempDir()}
	s, url := serve(t, options)
	options.Port = portOf(s)
	count := keep(t, url)
	var b book
	r := start(t, exposure.Options{NATS: []string{url}}, &b)
	connected(t, r)
	r.Seen(seen("before"))
	eventually(t, "the first is kept", func() bool { return count() == 1 })

	kill(s)
	eventually(t, "NATS is missed", func() bool { return !r.Stats().Connected })
	var longest time.Duration
	tell := func() {
		for u := range units {
			began := time.Now()
			r.Seen(seen(strconv.Itoa(u)))
			longest = max(longest, time.Since(began))
			if u%4096 == 0 {
				told(t, r, 1)
			}
		}
		told(t, r, 1)
	}
	tell()
	away := r.Stats()
	if away.Failed == 0 || away.Published < 5_000 || away.Failed+away.Published != units+1 {
		t.Errorf("%+v, want a part of them kept, and the others counted", away)
	}
	if longest > muchWait {
		t.Errorf("a request waited %v", longest)
	}

	serve(t, options)
	eventually(t, "what was kept arrives", func() bool { return count() == away.Published })
	connected(t, r)
	eventually(t, "the log says so", func() bool { return len(b.all("exposures reach NATS again")) == 1 })
	tell()
	if now := r.Stats(); now.Failed != away.Failed || now.Told-away.Told != away.Failed {
		t.Errorf("%+v, then %+v, want those told again that failed", away, now)
	}
	eventually(t, "all units arrived", func() bool { return count() == units+1 })
	if got := b.all("exposures reach NATS again")[0].attrs["lost"]; got != away.Failed {
		t.Errorf("the log says that %v were lost, want %d", got, away.Failed)
	}
	if n := len(b.all("exposures do not reach NATS; up to 8 MiB of them are kept")); n != 1 {
		t.Errorf("the log missed NATS %d times", n)
	}
	if err := stop(r); err != nil {
		t.Error(err)
	}
}

func TestNATSThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	s, url := serve(t, server.Options{})
	port := portOf(s)
	kill(s)
	var b book
	began := time.Now()
	r := start(t, exposure.Options{NATS: []string{url}}, &b)
	if took := time.Since(began); took > muchWait {
		t.Errorf("the start waited %v", took)
	}
	r.Seen(seen("u-7"))
	eventually(t, "NATS is missed", func() bool {
		return len(b.all("exposures do not reach NATS; up to 8 MiB of them are kept")) == 1
	})
	if text := b.text(); !strings.Contains(text, "connection refused") {
		t.Errorf("the log does not say why: %s", text)
	}
	eventually(t, "it is kept", func() bool { return r.Stats().Published == 1 })
	_, url = serve(t, server.Options{Port: port})
	messages := subscribe(t, url, "facet.exposure")
	connected(t, r)
	r.Seen(seen("u-8")) // u-7 may have come before there was who listens
	for unit := ""; unit != "u-8"; unit = unitOf(t, next(t, messages)) {
	}
	if err := stop(r); err != nil {
		t.Error(err)
	}
}

func TestCloseSaysWhatNATSDidNotGet(t *testing.T) {
	t.Parallel()
	s, url := serve(t, server.Options{})
	kill(s)
	r := start(t, exposure.Options{NATS: []string{url}}, new(book))
	r.Seen(seen("u-7"))
	if err := stop(r); err == nil || !strings.Contains(err.Error(), "did not reach NATS") {
		t.Errorf("closed with %v", err)
	}
	if err := stop(start(t, exposure.Options{NATS: []string{url}}, new(book))); err != nil {
		t.Errorf("there was nothing to tell, and it says %v", err)
	}
}

// TestServersThatDoNotAnswer accept connections, and are silent or rude.
func TestServersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	cases := map[string]func(c net.Conn){
		"silent": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"rude":   func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"refuses": func(c net.Conn) {
			_, _ = io.WriteString(c, "INFO {\"auth_required\":true,\"max_payload\":1048576}\r\n-ERR 'Authorization Violation'\r\n")
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b book
			r := start(t, exposure.Options{NATS: []string{"nats://" + pretend(t, answer)}}, &b)
			eventually(t, "it is missed", func() bool {
				r.Seen(seen("u-7"))
				return len(b.all("exposures do not reach NATS; up to 8 MiB of them are kept"))+len(b.all("NATS refuses exposures")) > 0
			})
			began := time.Now()
			for u := range 5_000 {
				r.Seen(seen(strconv.Itoa(u)))
			}
			if took := time.Since(began); took > muchWait {
				t.Errorf("requests waited %v", took)
			}
			if err := stop(r); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("closed with %v, want it to say what was lost", err)
			}
		})
	}
}

// pretend listens, and has each connection answered and closed.
func pretend(t *testing.T, answer func(c net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(long))
			answer(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// TestClientThatGaveUpIsReplaced: a server that says what the client does not know
// makes it give up for good.
func TestClientThatGaveUpIsReplaced(t *testing.T) {
	t.Parallel()
	var connects atomic.Int32
	address := pretend(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "INFO {\"max_payload\":1048576}\r\n")
		if !heard(c, "PING") {
			return
		}
		_, _ = io.WriteString(c, "PONG\r\n")
		connects.Add(1)
		if heard(c, "PUB") {
			_, _ = io.WriteString(c, "-ERR 'Out Of Sorts'\r\n")
			_, _ = io.Copy(io.Discard, c)
		}
	})
	var b book
	r := start(t, exposure.Options{NATS: []string{"nats://" + address}}, &b)
	unit := 0
	eventually(t, "it connects again", func() bool {
		unit++
		r.Seen(seen(strconv.Itoa(unit)))
		return connects.Load() > 1
	})
	eventually(t, "the log says that it was away", func() bool {
		return len(b.all("exposures do not reach NATS; up to 8 MiB of them are kept")) > 0
	})
	if text := b.text(); !strings.Contains(text, "Out Of Sorts") {
		t.Errorf("the log does not say why: %s", text)
	}
}

// heard reads until something was said.
func heard(c net.Conn, what string) bool {
	for all := ""; !strings.Contains(all, what); {
		var text [512]byte
		n, err := c.Read(text[:])
		if err != nil {
			return false
		}
		all += string(text[:n])
	}
	return true
}

func TestNATSThatForbidsTheSubject(t *testing.T) {
	t.Parallel()
	_, address := serve(t, server.Options{Users: []*server.User{{
		Username: "facet", Password: "s3cret",
		Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"other"}}},
	}}})
	url := strings.Replace(address, "nats://", "nats://facet:s3cret@", 1)
	var b book
	r := start(t, exposure.Options{NATS: []string{url}}, &b)
	for u := range 5 {
		r.Seen(seen(strconv.Itoa(u)))
	}
	eventually(t, "it is counted", func() bool { return r.Stats().Failed == 5 })
	if n := len(b.all("NATS refuses exposures")); n != 1 {
		t.Errorf("the log says %d times that NATS refuses, want once", n)
	}
	if text := b.text(); strings.Contains(text, "s3cret") {
		t.Errorf("the log has the password: %s", text)
	}
}

func TestNATSByTLS(t *testing.T) {
	t.Parallel()
	ca, certificate, key, pair := authority(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		t.Fatal("no certificate")
	}
	_, url := serve(t, server.Options{TLS: true, TLSVerify: true, TLSTimeout: long.Seconds(), TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	files := exposure.Options{CA: write(t, "ca.pem", ca), Certificate: write(t, "cert.pem", certificate), Key: write(t, "key.pem", key)}
	for _, c := range []struct {
		name      string
		options   exposure.Options
		connected bool
	}{
		{"both are who they say", files, true},
		{"the gateway is nobody", exposure.Options{CA: files.CA}, false},
		{"the server is nobody", exposure.Options{Certificate: files.Certificate, Key: files.Key}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b book
			c.options.NATS = []string{strings.Replace(url, "nats://", "tls://", 1)}
			r := start(t, c.options, &b)
			r.Seen(seen("u-7"))
			if !c.connected {
				eventually(t, "it is missed", func() bool { return strings.Contains(b.text(), "exposures do not reach NATS") })
				if r.Stats().Connected {
					t.Error("it is connected")
				}
				return
			}
			connected(t, r)
			if err := stop(r); err != nil {
				t.Error(err)
			}
		})
	}
}

// authority returns an authority, and a certificate of it for 127.0.0.1 which is both
// a server's and a client's.
func authority(t *testing.T) (ca, certificate, key string, pair tls.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "facet's test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	if pair, err = tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		t.Fatal(err)
	}
	return certificate, certificate, key, pair
}
