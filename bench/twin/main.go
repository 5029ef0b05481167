// Command twin is two of the gateway's pages written by hand, a phone's page of a
// product and a television's home: echo, one tuned net/http client, errgroup and
// encoding/json. It protects nothing: no
// deadline of its own, no circuit, no bulkhead, no stand-in. It is what the gateway is
// measured against.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "twin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	urls := make(map[string]string)
	flags := flag.NewFlagSet("twin", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	flags.Func("service", "name=url of a service; once for each", func(pair string) error {
		name, url, ok := strings.Cut(pair, "=")
		if !ok {
			return errors.New("want name=url")
		}
		urls[name] = url
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Printf("gateway http://%s\n", listener.Addr())
	return serve(ctx, listener, newServer(newBackend(urls)))
}

// serve answers until ctx ends, then lets what is being answered finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		ended <- server.Shutdown(ending)
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-ended
}
