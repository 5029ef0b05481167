package grpc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/fault"
)

// frame is one of HTTP/2 (RFC 9113, section 4.1).
func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	return string(binary.BigEndian.AppendUint32(head, stream)) + payload
}

const (
	data, headers, reset, settings, goAway = 0, 1, 3, 4, 7
	endStream, endHeaders                  = 1, 4
	whole                                  = endStream | endHeaders
)

// field is a literal of HPACK (RFC 7541, section 6.2.2), its halves under 127 bytes.
func field(name, value string) string {
	return "\x00" + string(rune(len(name))) + name + string(rune(len(value))) + value
}

// status200 begins an answer: indexed field 8, and the type.
func status200() string { return "\x88" + field("content-type", "application/grpc") }

// message is one of gRPC: its flag, the length it claims, and its bytes.
func message(flag byte, length uint32, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flag}, length)) + payload
}

// answers sends settings, and each of raw once another request has come; then it waits
// for the client to go, or closes.
func answers(t testing.TB, hang bool, raw ...string) string {
	t.Helper()
	return accept(t, func(conn net.Conn) {
		if _, err := io.WriteString(conn, frame(settings, 0, 0, "")); err != nil {
			return
		}
		var got []byte
		in := make([]byte, 4096)
		for i, answer := range raw {
			for bytes.Count(got, []byte("\x0a\x05hello")) <= i {
				n, err := conn.Read(in)
				if err != nil {
					return
				}
				got = append(got, in[:n]...)
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
		if hang {
			_, _ = io.Copy(io.Discard, conn)
		}
	})
}

// begun is the header of an answer, and what follows it.
func begun(stream uint32, rest ...string) string {
	return frame(headers, endHeaders, stream, status200()) + strings.Join(rest, "")
}

// TestACallThatNobodyHasBegun is made again, once.
func TestACallThatNobodyHasBegun(t *testing.T) {
	answer := begun(3, frame(data, 0, 3, message(0, 3, "\x0a\x01a")), frame(headers, whole, 3, field("grpc-status", "0")))
	ctx, call := withCall(t.Context())
	got, err := say(ctx, clientOf(t, answers(t, true, refusedStream, answer)), "hello")
	if err != nil || got != "a" || call.Attempts != 2 {
		t.Errorf("got %q, %v after %d attempts", got, err, call.Attempts)
	}
}

const refusedStream = "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x07"

func TestHostileServers(t *testing.T) {
	const (
		bad         = fault.BadAnswer
		unavailable = fault.Unavailable
	)
	ok := frame(headers, whole, 1, field("grpc-status", "0"))
	cases := []struct {
		name, raw string
		hang      bool
		code      fault.Code
		reason    fault.Reason
	}{
		{"a good answer", begun(1, frame(data, 0, 1, message(0, 3, "\x0a\x01a")), ok), true, fault.OK, fault.None},
		{"the connection ends", "", false, unavailable, fault.ReasonError},
		{"it ends after headers", begun(1), false, unavailable, fault.ReasonError},
		{"it ends in a message", begun(1, frame(data, 0, 1, message(0, 3, "\x0a"))), false, unavailable, fault.ReasonError},
		{"no status", begun(1, frame(data, endStream, 1, message(0, 3, "\x0a\x01a"))), true, unavailable, fault.ReasonError},
		{"garbage", strings.Repeat("garbage! ", 100), false, unavailable, fault.ReasonError},
		{"a reset", frame(reset, 0, 1, "\x00\x00\x00\x02"), true, unavailable, fault.ReasonError},
		{"a refused stream, for ever", refusedStream, false, unavailable, fault.ReasonError},
		{"going away with an error", frame(goAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x02"), false, unavailable, fault.ReasonError},
		{"a page of HTML", frame(headers, endHeaders, 1, "\x88"+field("content-type", "text/html")) + frame(data, endStream, 1, "<html>"),
			true, unavailable, fault.ReasonError},
		{"status 503", frame(headers, whole, 1, field(":status", "503")), true, unavailable, fault.ReasonError},
		{"a status that is none", frame(headers, whole, 1, status200()+field("grpc-status", "x")), true, unavailable, fault.ReasonError},
		{"many headers", frame(headers, whole, 1, status200()+strings.Repeat(field("a", strings.Repeat("b", 100)), 140)),
			true, unavailable, fault.ReasonError},
		{"a message of 4 GiB by its word", begun(1, frame(data, 0, 1, message(0, 0xffffffff, ""))), true, bad, fault.ReasonInvalid},
		{"one byte over the limit, by its word", begun(1, frame(data, 0, 1, message(0, limit+1, ""))), true, bad, fault.ReasonInvalid},
		{"compressed, and not said how", begun(1, frame(data, 0, 1, message(1, 3, "\x0a\x01a")), ok), true, bad, fault.ReasonInvalid},
		{"compressed", frame(headers, endHeaders, 1, status200()+field("grpc-encoding", "gzip")) +
			frame(data, 0, 1, message(1, 3, "\x0a\x01a")) + ok, true, bad, fault.ReasonInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			address := answers(t, c.hang, c.raw)
			client := newClient(t, grpc.Options{Instances: []string{"grpc://" + address}, MaxMessage: limit})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			ctx, call := withCall(ctx)
			got, err := say(ctx, client, "hello")
			if call.Attempts < 1 || call.Attempts > 2 {
				t.Errorf("%d attempts", call.Attempts)
			}
			if c.code == fault.OK {
				if err != nil || got != "a" {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			checkFault(t, err, address, c.code, c.reason, false)
		})
	}
}

// TestServersOfAnotherKind answer something, or nothing, to what they do not understand.
func TestServersOfAnotherKind(t *testing.T) {
	for name, raw := range map[string]string{
		"HTTP/1.1": "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH": "SSH-2.0-OpenSSH_9.6\r\n", "nothing": "",
	} {
		address := accept(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 10))
			_, _ = io.WriteString(conn, raw) // the client may have had enough
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := say(ctx, clientOf(t, address), "hello")
		cancel()
		if checkFault(t, err, address, fault.Unavailable, fault.ReasonError, false); t.Failed() {
			t.Error(name)
		}
	}
}

// TestAServerThatOnlyAccepts holds a call until its deadline.
func TestAServerThatOnlyAccepts(t *testing.T) {
	address := accept(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := say(ctx, clientOf(t, address), "hello"); fault.CodeOf(err) != fault.Timeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// FuzzAnswer: whatever a server sends, a call ends with a value or a fault, in time.
func FuzzAnswer(f *testing.F) {
	ok := frame(headers, whole, 1, field("grpc-status", "0"))
	for _, seed := range []string{
		begun(1, frame(data, 0, 1, message(0, 3, "\x0a\x01a")), ok), begun(1, ok), "", ok,
		begun(1, frame(data, 0, 1, message(1, 3, "\x0a\x01a")), ok),
		begun(1, frame(data, 0, 1, message(0, 0xffffffff, "x"))), refusedStream, frame(settings, 0, 0, "\x00\x04\x00\x00\x00\x00"),
		frame(goAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00"), strings.Repeat("\xff", 100),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		address := answers(t, false, string(answer))
		client := newClient(t, grpc.Options{Instances: []string{"grpc://" + address}, MaxMessage: 1 << 16})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ctx, _ = withCall(ctx)
		_, err := say(ctx, client, "hello")
		var failure *fault.Error
		if err != nil && !errors.As(err, &failure) {
			t.Errorf("%q: %v is no fault", answer, err)
		}
	})
}
