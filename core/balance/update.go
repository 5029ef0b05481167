package balance

import (
	"errors"
	"fmt"
	"slices"

	"github.com/facet-gateway/facet/core/discovery"
)

// maxInstances is how many instances a pool holds.
const maxInstances = 1000

// Update tells all the instances that there are. Those that stay keep their C and
// what is known of them; one is the same as before if all its fields are. Those that
// have left are closed once their calls have ended.
//
// A list that is empty, too long (1000) or has an instance twice is refused, and
// nothing changes. An instance that cannot be opened is left out, and the error says
// so; the list is taken without it, unless nothing is left.
func (p *Pool[C]) Update(all []discovery.Instance) error {
	if err := checkList(all); err != nil {
		return err
	}
	opened, failed := p.openNew(all)
	gone, err := p.exchange(all, opened)
	for _, s := range gone {
		s.leave()
	}
	return errors.Join(append(failed, err)...)
}

func checkList(all []discovery.Instance) error {
	if len(all) == 0 || len(all) > maxInstances {
		return fmt.Errorf("a list of %d instances: must be 1 to %d", len(all), maxInstances)
	}
	seen := make(map[string]bool, len(all))
	for i, in := range all {
		key := in.Address + in.Path
		switch {
		case in.Address == "":
			return fmt.Errorf("instance %d of the list: has no address", i)
		case seen[key]:
			return fmt.Errorf("instance %d of the list: %s is there twice", i, key)
		}
		seen[key] = true
	}
	return nil
}

// openNew opens the instances that are not there yet, without the lock.
func (p *Pool[C]) openNew(all []discovery.Instance) (opened map[discovery.Instance]*server[C], failed []error) {
	known := p.known()
	opened = map[discovery.Instance]*server[C]{}
	for _, in := range all {
		if known[in] != nil {
			continue
		}
		c, err := p.open(in)
		if err != nil {
			failed = append(failed, fmt.Errorf("instance %s%s: %w", in.Address, in.Path, err))
			continue
		}
		opened[in] = newServer(p, in, c)
	}
	return opened, failed
}

func (p *Pool[C]) known() map[discovery.Instance]*server[C] {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.index()
}

func (p *Pool[C]) index() map[discovery.Instance]*server[C] {
	known := make(map[discovery.Instance]*server[C], len(p.members))
	for _, s := range p.members {
		known[s.usual.Instance] = s
	}
	return known
}

// exchange puts the new list in place, and returns who has to leave: of those that
// were there, and of those opened that another update has opened, too.
func (p *Pool[C]) exchange(all []discovery.Instance, opened map[discovery.Instance]*server[C]) (gone []*server[C], err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.index()
	var next []*server[C]
	for _, in := range all {
		s := known[in]
		if s == nil {
			if s = opened[in]; s == nil {
				continue // it could not be opened, or has been removed meanwhile
			}
			delete(opened, in)
			p.welcome(s)
		}
		delete(known, in)
		next = append(next, s)
	}
	switch {
	case p.closed:
		err, gone = ErrClosed, next
	case len(next) == 0:
		return nil, errNoneOpened
	default:
		for _, s := range known {
			gone = append(gone, s)
		}
		p.members = next
	}
	for _, s := range opened {
		gone = append(gone, s)
	}
	p.leaving = append(p.leaving, gone...)
	p.rebuild()
	return gone, err
}

var errNoneOpened = errors.New("no instance of the list can be used, so the ones before stay")

// welcome gives a new instance its slow start, unless all are new.
func (p *Pool[C]) welcome(s *server[C]) {
	if len(p.members) > 0 {
		s.warmFrom.Store(p.now())
	}
}

// finish closes an instance that has left, after its last call.
func (p *Pool[C]) finish(s *server[C]) {
	p.shut(s.usual.C)
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.leaving, s); i >= 0 {
		p.leaving = slices.Delete(p.leaving, i, i+1)
	}
}
