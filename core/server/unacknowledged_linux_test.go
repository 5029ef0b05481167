package server

import (
	"net"
	"syscall"
	"testing"
	"time"
)

func TestUnacknowledgedDataEndsConnections(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() //nolint:errcheck // nobody comes any more
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	tcp, _ := conn.(*net.TCPConn)
	newRoom().attach(&client{}, tcp)
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if err := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) }); err != nil {
		t.Fatal(err)
	}
	if want := 10 * time.Second; err != nil || got != int(want.Milliseconds()) {
		t.Errorf("the kernel waits %d ms, %v; want %v", got, err, want)
	}
}
