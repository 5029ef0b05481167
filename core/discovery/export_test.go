package discovery

// ServersOf returns whom a resolver of DNS would ask, if the configuration of the
// system was a file.
func ServersOf(d *DNS, conf string) ([]string, error) {
	d.conf = conf
	return d.servers()
}
