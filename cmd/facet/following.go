package main

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/core/telemetry"
)

// following tells who follows what keeps coming, and what that is subscribed to.
func (g *gateway) following() any {
	return struct {
		server.ClientStats
		Upstreams map[string]stream.HubStats `json:"upstreams"` // by service
	}{g.server.Clients(), g.build.services.Upstreams()}
}

// liveFigures are the metrics of clients that follow what keeps coming, and of what is
// subscribed to for them.
func (g *gateway) liveFigures() []telemetry.Figure {
	upstreams := func(read func(stream.HubStats) float64) func(string) float64 {
		return func(service string) float64 { return read(g.build.services.Upstreams()[service]) }
	}
	return append(g.clientFigures(),
		telemetry.Figure{
			Name: "facet_live_upstreams", Help: "Subscriptions of services for clients that follow.",
			Label: "service", Values: services.Publishers(), Read: upstreams(func(s stream.HubStats) float64 { return float64(s.Keys) }),
		},
		telemetry.Figure{
			Name: "facet_live_upstream_events_total", Help: "Values that subscriptions of services told.", Counter: true,
			Label: "service", Values: services.Publishers(), Read: upstreams(func(s stream.HubStats) float64 { return float64(s.Events) }),
		},
		telemetry.Figure{
			Name: "facet_live_upstream_failures_total", Help: "Subscriptions of services that were refused or lost.", Counter: true,
			Label: "service", Values: services.Publishers(), Read: upstreams(func(s stream.HubStats) float64 { return float64(s.Failures) }),
		},
	)
}

func (g *gateway) clientFigures() []telemetry.Figure {
	var endings []string
	for _, e := range server.Endings() {
		endings = append(endings, string(e))
	}
	return []telemetry.Figure{
		{
			Name: "facet_live_clients", Help: "Clients that follow what keeps coming.",
			Labels: []string{"transport", "device"}, Tell: g.tellClients,
		},
		{
			Name: "facet_live_events_total", Help: "Events that were sent to clients, heartbeats apart.", Counter: true,
			Read: func(string) float64 { return float64(g.server.Clients().Events) },
		},
		{
			Name: "facet_live_dropped_total", Help: "Clients that follow no more, by why; left: by their own wish.", Counter: true,
			Label: "reason", Values: endings,
			Read: func(reason string) float64 { return float64(g.server.Clients().Ended[server.Ending(reason)]) },
		},
	}
}

// tellClients tells how many follow, of each class that the configuration has now.
func (g *gateway) tellClients(tell func(n float64, values ...string)) {
	devices := g.server.Live().Devices
	for transport, of := range g.server.Clients().Clients {
		for _, class := range devices.Classes() {
			tell(float64(of[string(class)]), transport, string(class))
		}
	}
}
