package etcd

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/facet-gateway/facet/core/rollout"
)

// watch is one that goes on, whatever becomes of the cluster. One goroutine has it.
type watch struct {
	*Store
	changed   func(*rollout.State)
	available func(error)

	last  []byte // what the key held
	at    int64  // the revision of etcd at which it got that; 0: there is no key
	begun bool   // something was told
	wrong error  // what is wrong with what the key holds
	said  word
}

// word is what was told of the store.
type word struct {
	told  bool
	away  string // what kind of reason there is
	wrong string
}

// Watch tells the states of the key.
func (s *Store) Watch(ctx context.Context, changed func(*rollout.State), available func(error)) error {
	w := &watch{Store: s, changed: changed, available: available}
	follow, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	for wait := shortest; follow.Err() == nil; wait = min(2*wait, longest) {
		began := time.Now()
		err := w.follow(follow)
		if err != nil && follow.Err() == nil {
			w.tell(reason(err))
		}
		switch {
		case refused(err):
			wait = patient
		case time.Since(began) > longest:
			wait = shortest
		}
		pause(follow, wait)
	}
	if ctx.Err() == nil {
		return errClosed
	}
	return nil
}

// pause waits for half of a time to all of it: replicas do not come back in step.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// follow reads the key and watches it, until something is wrong: an error says why
// the cluster is not there, nil that it is and the key is to be read again.
func (w *watch) follow(ctx context.Context) error {
	from, err := w.start(ctx)
	if err != nil {
		return err
	}
	c, err := w.connected(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	slow := time.AfterFunc(brief, cancel) // the call below waits for a server, which may hang
	answers := c.Watch(ctx, w.key(), clientv3.WithRev(from))
	slow.Stop()
	beat := time.NewTicker(limit)
	defer beat.Stop()
	for {
		select {
		case answer, open := <-answers:
			if !open || answer.CompactRevision != 0 {
				return nil
			}
			if err := answer.Err(); err != nil {
				return err
			}
			w.hear(answer)
		case <-beat.C:
			if same, err := w.same(ctx); err != nil || !same {
				return err
			}
		}
	}
}

// start reads the key, and returns the revision of etcd that follows the read.
func (w *watch) start(ctx context.Context) (from int64, err error) {
	within := limit
	if w.said.away != "" {
		within = patient // it is known already, and what comes late is welcome
	}
	answer, err := w.get(ctx, within)
	if err != nil {
		return 0, err
	}
	if len(answer.Kvs) == 0 {
		w.take(nil, 0)
	} else {
		w.take(answer.Kvs[0].Value, answer.Kvs[0].ModRevision)
	}
	return answer.Header.Revision + 1, nil
}

func (w *watch) get(ctx context.Context, within time.Duration, o ...clientv3.OpOption) (answer *clientv3.GetResponse, err error) {
	err = w.call(hastily(ctx), within, func(ctx context.Context, c *clientv3.Client) (err error) {
		answer, err = c.Get(ctx, w.key(), o...)
		return err
	})
	return answer, err
}

// hear takes what an answer of a watch says: its last event is the newest.
func (w *watch) hear(answer clientv3.WatchResponse) {
	if len(answer.Events) == 0 {
		return
	}
	switch e := answer.Events[len(answer.Events)-1]; e.Type {
	case clientv3.EventTypeDelete:
		w.take(nil, 0)
	default:
		w.take(e.Kv.Value, e.Kv.ModRevision)
	}
}

// same asks whether the key is what it was when it was last heard of.
func (w *watch) same(ctx context.Context) (bool, error) {
	answer, err := w.get(ctx, limit, clientv3.WithKeysOnly())
	if err != nil {
		return false, err
	}
	var at int64
	if len(answer.Kvs) > 0 {
		at = answer.Kvs[0].ModRevision
	}
	return at == w.at, nil
}

// take tells what the key holds, if it is another value than before, and that the
// cluster is there. At 0 there is no key.
func (w *watch) take(value []byte, at int64) {
	news := !w.begun || !bytes.Equal(value, w.last) || (at == 0) != (w.at == 0)
	w.at = at
	if news {
		w.begun, w.last, w.wrong = true, value, nil
		state := &rollout.State{}
		if at != 0 {
			state, w.wrong = w.decode(value)
		}
		if w.wrong == nil {
			w.changed(state)
		}
	}
	w.tell(nil)
}

// tell says whether the store is there, if that is news. A value that is no state is
// as if it were not. Reasons of one kind that follow each other are one.
func (w *watch) tell(err error) {
	now := word{told: true}
	switch {
	case err != nil:
		now.away = code(err).String()
	case w.wrong != nil:
		err, now.wrong = w.wrong, w.wrong.Error()
	}
	if now != w.said {
		w.said = now
		w.available(err)
	}
}
