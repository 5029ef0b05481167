//go:build !production

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/operator"
	"github.com/facet-gateway/facet/core/playground"
)

// demonstration is the command line of demo.
type demonstration struct {
	listen addressFlag
	admin  addressFlag
	faults faultFlag
	plain  bool   // every service over HTTP
	amqp   string // URL of a broker that leads to shipping; "": it is reached over HTTP
}

func newDemo() *cobra.Command {
	d := demonstration{listen: "127.0.0.1:8080", admin: "127.0.0.1:8081", faults: faultFlag{}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the gateway and simulated services on loopback, with nothing else installed",
		Long: `Run the gateway and nine simulated services in one process on loopback, until
Ctrl-C. It prints where they listen and commands to try: three devices that get
three pages, and a service to break and to heal. The address it prints after
"playground" is a page to do the same in a browser, and to see each call. A token,
made for this run, lets its owner change the gateway through the private port; the
address after "operator" is that page with the token, to release versions there.

Most services are reached over HTTP, the cart over gRPC, orders over Thrift and the
inventory over NATS, whose broker runs in the process, too. With a broker of yours,
shipping is reached over AMQP. The pages are the same over HTTP alone (--plain).

X-User-Id names the user (u-7 is one) and is believed, and any web page may read
the answers: a demonstration holds invented data only. The configuration is the
default one otherwise.

` + faultHelp,
		Example: `  facet demo
  facet demo --listen :0 --admin :0
  facet demo --amqp amqp://127.0.0.1:5672
  facet demo --fault reviews=hang --fault orders=latency=100ms,spread=80ms`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().Var(&d.listen, "listen", "where the gateway serves pages; port 0: a free port")
	cmd.Flags().Var(&d.admin, "admin", "where the gateway tells how it is; port 0: a free port")
	cmd.Flags().BoolVar(&d.plain, "plain", false, "reach every service over HTTP")
	cmd.Flags().StringVar(&d.amqp, "amqp", "", "reach shipping over this broker, a RabbitMQ: amqp://[USER:PASSWORD@]HOST:PORT[/VHOST]")
	cmd.MarkFlagsMutuallyExclusive("plain", "amqp")
	cmd.Flags().Var(d.faults, "fault", "a fault to begin with; can be given for each service")
	return cmd
}

func (d *demonstration) run(ctx context.Context, stdout, stderr io.Writer) error {
	b, err := newBuild()
	if err != nil {
		return failed(err)
	}
	ways, err := newWays(d)
	if err != nil {
		return err
	}
	defer ways.close()
	shop, err := startSimulator(ctx, simulator.Options{Faults: d.faults, Transports: ways.transports(), Brokers: ways.brokers})
	if err != nil {
		return err
	}
	defer shop.Close() // last: the gateway drains into it
	c, err := config.Parse("the demonstration's configuration", []byte(d.config(shop, ways)), b.known())
	if err != nil {
		return refused{err}
	}
	lines := &logBuffer{to: stderr}
	defer lines.flush()
	g, err := newGateway(b, c, newLogger(c.Log, c.Log.Level, lines))
	if err != nil {
		return err
	}
	defer g.close()
	users := newTraffic(g.server.Live().Devices.Header())
	defer users.close()
	defer context.AfterFunc(ctx, users.close)() // nobody asks a gateway that drains
	if err := g.openPlayground(shop, users); err != nil {
		return err
	}
	token, err := g.employ()
	if err != nil {
		return err
	}
	return failed(g.run(ctx, func(public, private string) {
		users.aim(public)
		invite(stdout, public, private, shop.ControlURL(), token)
	}))
}

// employ makes an operator for the life of the gateway, and returns the token.
func (g *gateway) employ() (string, error) {
	token, line, err := operator.New("demo")
	if err != nil {
		return "", failed(err)
	}
	tokens, err := operator.Parse("the demonstration's tokens", []byte(line))
	if err != nil {
		return "", failed(err)
	}
	g.operators.Use(tokens)
	return token, nil
}

// config is the configuration for where the simulated services listen.
func (d *demonstration) config(shop *simulator.Simulator, w *ways) string {
	var text strings.Builder
	fmt.Fprintf(&text, "listen: %q\nadmin: %q\n", d.listen, d.admin)
	text.WriteString("auth: {mode: header}\ncors: {origins: [\"*\"]}\nlog: {format: text}\n")
	text.WriteString("server: {drain_delay: 0s}\nrollout: {file: \"\"}\nservices:\n")
	for _, name := range services.Names() {
		fmt.Fprintf(&text, "  %s: {%s}\n", name, w.to(shop, name))
	}
	return text.String()
}

// invite prints where everything is, then what to try.
func invite(to io.Writer, public, private, faults, token string) {
	page := private + playground.Path
	fmt.Fprintf(to, "gateway %s\nadmin %s\nplayground %s\noperator %s#view=rollouts&token=%s\nfaults %s\n",
		public, private, page, page, token, faults)
	fmt.Fprintln(to, "\nThree devices, three pages:")
	for _, device := range []string{"tv", "phone", "tablet"} {
		fmt.Fprintf(to, "  curl -i -H 'X-Device-Type: %s' -H 'X-User-Id: u-7' '%s/productdetails?productid=p-1042'\n", device, public)
	}
	fmt.Fprintln(to, "\nBreak a service, look at Facet-Parts and the circuit, heal it:")
	fmt.Fprintf(to, "  curl -X PUT %s/faults/reviews -d hang\n", faults)
	fmt.Fprintf(to, "  curl %s/commands/reviews.reviews\n", private)
	fmt.Fprintf(to, "  curl -X DELETE %s/faults/reviews\n", faults)
	fmt.Fprintln(to, "\nFollow a stock, and change it from elsewhere (not with --plain):")
	fmt.Fprintf(to, "  curl -N '%s/live/stock?productid=p-1042&device=phone'\n", public)
	fmt.Fprintf(to, "  curl -X PUT %s/stock/p-1042 -d '%s'\n", faults, `{"available": 3}`)
	fmt.Fprintln(to, "\nForce a circuit, with the token of this run, and look at who did it:")
	header := fmt.Sprintf("-H 'Authorization: Bearer %s'", token)
	fmt.Fprintf(to, "  curl -X PUT %s -H 'Content-Type: application/json' %s/circuits/reviews.reviews -d '%s'\n",
		header, private, `{"state": "open", "for": "1m"}`)
	fmt.Fprintf(to, "  curl -X DELETE %s %s/circuits/reviews.reviews\n", header, private)
	fmt.Fprintf(to, "  curl %s/audit\n", private)
	fmt.Fprintln(to, "\nCtrl-C stops it.")
}
