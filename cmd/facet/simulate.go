//go:build !production

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/fault"
)

// simulation is the command line of simulate.
type simulation struct {
	listen  addressFlag
	control addressFlag
	faults  faultFlag

	transports []string
	brokers    map[string]string
}

func newSimulate() *cobra.Command {
	s := simulation{listen: "127.0.0.1:0", faults: faultFlag{}}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Run the simulated services alone, for a gateway of its own",
		Long: `Run the nine simulated services of the demonstration alone, until a signal ends
it, for a gateway that 'facet serve' runs or for something else to compare it with.

It prints "service NAME http://HOST:PORT" for each service and then
"control http://HOST:PORT", where GET /stats tells how many requests each has had
and PUT /faults/NAME and DELETE /faults/NAME give and take a fault. Services that
speak a transport of --transport, too, are told as "over TRANSPORT NAME URL": the cart
speaks grpc, orders thrift, the inventory nats and zmq, and shipping amqp, which needs a
broker. The one of nats runs in the process, unless another is named. Where the inventory
publishes its changes over zmq follows as "live zmq inventory URL".

` + faultHelp,
		Example: `  facet simulate --listen 127.0.0.1:9001     # the ports of the file in 'facet check --help'
  facet simulate --transport grpc,thrift,nats,zmq
  facet simulate --transport amqp --broker amqp=amqp://127.0.0.1:5672
  facet simulate --fault reviews=latency=200ms,spread=100ms --fault orders=error=0.1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().Var(&s.listen, "listen", "where the first service listens, the others on the ports that follow; port 0: free ports")
	cmd.Flags().Var(&s.control, "control", "where the control listens (default a free port of the same host)")
	cmd.Flags().StringSliceVar(&s.transports, "transport", nil, "what the services speak beside HTTP, each that can")
	cmd.Flags().StringToStringVar(&s.brokers, "broker", nil, "TRANSPORT=URL of a broker that leads to the services")
	cmd.Flags().Var(s.faults, "fault", "a fault to begin with; can be given for each service")
	return cmd
}

func (s *simulation) run(ctx context.Context, stdout io.Writer) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	shop, err := startSimulator(ctx, o)
	if err != nil {
		return err
	}
	defer shop.Close()
	for _, name := range services.Names() {
		fmt.Fprintf(stdout, "service %s %s\n", name, shop.URL(name))
	}
	for _, transport := range s.transports {
		for _, name := range services.Names() {
			if address := shop.Address(name, transport); address != "" {
				fmt.Fprintf(stdout, "over %s %s %s\n", transport, name, address)
			}
			if address := shop.LiveAddress(name, transport); address != "" {
				fmt.Fprintf(stdout, "live %s %s %s\n", transport, name, address)
			}
		}
	}
	fmt.Fprintf(stdout, "control %s\n", shop.ControlURL())
	<-ctx.Done()
	return nil
}

// options gives each service its address.
func (s *simulation) options() (simulator.Options, error) {
	host, text, err := net.SplitHostPort(s.listen.String())
	o := simulator.Options{Host: host, Control: s.control.String(), Faults: s.faults, Transports: s.transports, Brokers: s.brokers}
	if err != nil || text == "0" {
		return o, err
	}
	first, err := strconv.Atoi(text)
	if names := services.Names(); err == nil && first+len(names)-1 <= maxPort {
		o.Addresses = make(map[string]string, len(names))
		for i, name := range names {
			o.Addresses[name] = net.JoinHostPort(host, strconv.Itoa(first+i))
		}
		return o, nil
	}
	return o, errors.New("--listen: there are not enough ports above " + text)
}

const maxPort = 1<<16 - 1

// startSimulator starts the services. What New refuses came from the command line.
func startSimulator(ctx context.Context, o simulator.Options) (*simulator.Simulator, error) {
	shop, err := simulator.New(o)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flagOf(err), told(err))
	}
	if err := shop.Start(ctx); err != nil {
		shop.Close()
		return nil, failed(err)
	}
	return shop, nil
}

// flagOf returns the flag that says what an error of the simulator is about.
func flagOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		switch field, _, _ := strings.Cut(e.Field, "."); field {
		case "transports":
			return "transport"
		case "brokers":
			return "broker or --amqp"
		}
	}
	return "fault"
}
