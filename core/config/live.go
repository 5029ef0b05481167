package config

import "time"

// Live bounds the clients that follow what keeps coming.
type Live struct {
	MaxClients int           // at once; 1 to 100,000
	MaxPerUser int           // of one user; 0, as by default: no bound of their own
	Heartbeat  time.Duration // after which a client that was told nothing hears that it is connected; 1s to 5m
}

const (
	maxClients       = 100_000
	defaultClients   = 20_000
	defaultHeartbeat = 15 * time.Second
)

func defaultLive() Live { return Live{MaxClients: defaultClients, Heartbeat: defaultHeartbeat} }

func (l *Live) decode(v value) {
	v.fields(
		set("max_clients", &l.MaxClients, within(count, 1, maxClients)),
		set("max_per_user", &l.MaxPerUser, within(count, 0, maxClients)),
		set("heartbeat", &l.Heartbeat, within(duration, time.Second, 5*time.Minute)),
	)
}
