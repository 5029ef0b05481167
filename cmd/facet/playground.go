//go:build !production

package main

import (
	nethttp "net/http"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/playground"
)

// openPlayground adds the playground to the private port of a gateway that does
// not serve yet. Only the demonstration does so.
func (g *gateway) openPlayground(shop *simulator.Simulator, users playground.Traffic) error {
	page, err := playground.New(playground.Options{
		Server:   g.server,
		Versions: g.versions,
		Faults:   shopFaults{shop},
		Traffic:  users,
		Users:    []string{"u-7", "u-1", "u-2"},
		Examples: map[string]string{"productid": "p-1042", "postcode": "1011AB"},
		Agents:   agents(),
	})
	if err != nil {
		return failed(err)
	}
	g.admin = g.newAdmin(map[string]nethttp.Handler{playground.Path: page})
	return nil
}

// agents are devices that send no device header.
func agents() []playground.Agent {
	return []playground.Agent{
		{
			Label:     "Samsung TV",
			UserAgent: "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 TV Safari/537.36",
		},
		{
			Label:     "Android phone",
			UserAgent: "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
		},
		{
			Label:     "iPad",
			UserAgent: "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/604.1",
		},
		{
			Label:     "Windows browser",
			UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		},
	}
}

// shopFaults are the faults of the simulated services as texts.
type shopFaults struct{ shop *simulator.Simulator }

func (s shopFaults) Faults() map[string]string {
	texts := make(map[string]string)
	for service, f := range s.shop.Faults() {
		texts[service] = f.String()
	}
	return texts
}

func (s shopFaults) SetFault(service, text string) error {
	f, err := simulator.ParseFault(text)
	if err != nil {
		return err
	}
	return s.shop.SetFault(service, f)
}
