package config

// Published is where a service tells its changes, if those come by sockets of their own.
// At most one of the two is given; neither: its changes do not come.
type Published struct {
	Instances []string // URLs, of all that publish
	Port      int      // at which each of the service's instances does, 1 to 65535
}

const maxPort = 1<<16 - 1

func (p *Published) decode(v value) {
	v.fields(
		set("instances", &p.Instances, instances(live)),
		set("port", &p.Port, within(count, 1, maxPort)),
	)
	_, listed := v.find("instances")
	port, found := v.find("port")
	switch {
	case listed && found:
		port.failKey("is given beside instances; allowed: one of the two")
	case !listed && !found && v.isBlock():
		v.fail("says nothing; allowed: instances, or a port")
	}
}
