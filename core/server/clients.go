package server

import (
	"errors"
	"time"
)

// Clients bounds those who follow what keeps coming.
type Clients struct {
	Max        int           // at once; > 0 where a version has something live
	MaxPerUser int           // of one user; 0: as many as may be of all
	Heartbeat  time.Duration // after which a client that was told nothing hears that it is connected; > 0 likewise
}

func (c Clients) check() error {
	switch {
	case c.Max <= 0:
		return errors.New("what is live needs a bound of its clients")
	case c.Heartbeat <= 0:
		return errors.New("what is live needs a heartbeat")
	}
	return nil
}

// Ending is why a client follows no more.
type Ending string

// The endings. All but the first are told to the client, as far as it can be.
const (
	EndLeft     Ending = "left"     // the client went away
	EndSlow     Ending = "slow"     // it took nothing for 8 s
	EndSilent   Ending = "silent"   // it did not answer a ping of WebSocket
	EndProtocol Ending = "protocol" // it sent what it may not, or too much
	EndDrain    Ending = "drain"    // the gateway stops
	EndRefused  Ending = "refused"  // there is nothing of what it asked for
	EndFault    Ending = "fault"    // nothing comes any more
)

// Endings returns all of them, in this order.
func Endings() []Ending {
	return []Ending{EndLeft, EndSlow, EndSilent, EndProtocol, EndDrain, EndRefused, EndFault}
}

// The transports of what is live.
const (
	TransportSSE       = "sse" // server-sent events
	TransportWebSocket = "websocket"
)

// ClientStats is who follows what keeps coming.
type ClientStats struct {
	Clients map[string]map[string]int `json:"clients"` // now, by transport and class of the device
	Events  uint64                    `json:"events"`  // that were sent, heartbeats apart
	Ended   map[Ending]uint64         `json:"ended"`   // clients that follow no more, by why
}
