//go:build !production

package main

import (
	"errors"
	"net"
	"strconv"
)

// addressFlag is the flag of an address to listen on. Without a host it is one
// of loopback: what these commands serve is for nobody else.
type addressFlag string

// Set reads HOST:PORT or :PORT.
func (a *addressFlag) Set(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("must be of the form HOST:PORT, such as 127.0.0.1:8080, or :0 for a free port")
	}
	if host == "" {
		host = "127.0.0.1"
	}
	*a = addressFlag(net.JoinHostPort(host, port))
	return nil
}

// String is the address.
func (a *addressFlag) String() string { return string(*a) }

// Type is what the help calls the value.
func (a *addressFlag) Type() string { return "HOST:PORT" }
