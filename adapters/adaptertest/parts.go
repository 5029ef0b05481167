package adaptertest

import (
	"errors"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

// late is how much later than the others one service answers, so that the page grows.
const late = 5 * time.Millisecond

// parts asks for the page while it grows, with each service later than the others in
// turn: what it grows through is of its type, and what it becomes is the page.
func (s *stage) parts(t reporter) error {
	whole, err := s.healthy()
	if err != nil {
		return err
	}
	found, grown := findings{}, 0
	for _, name := range whole.services() {
		if err := errors.Join(s.lose(), s.shop.SetFault(name, simulator.Fault{Latency: late})); err != nil {
			return err
		}
		told := func(body []byte) {
			grown++
			if err := valid(string(body), s.endpoint.Page); err != nil {
				found.add("while %s is late: %v", name, err)
			}
		}
		o := s.made(s.request(), nil, told)
		if o.err != nil || o.body != whole.body || o.told != whole.told {
			found.add("with %s late it becomes another page: %v, with the parts %q%s", name, o.err, o.told, diff(whole.body, o.body))
		}
	}
	t.Logf("it was told of %d times while it grew", grown)
	return errors.Join(found.err(), s.lose())
}
