package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// Swap makes a change within a second, or fails. It reads before it writes: so it finds
// a server that is gone or hangs before there is anything to be in doubt about.
func (s *Store) Swap(ctx context.Context, next *rollout.State) error {
	text, err := encode(next, maxState)
	if err != nil {
		return err
	}
	c := change{Store: s, revision: next.Revision, text: text}
	err = s.call(ctx, limit, c.try)
	switch {
	case err == nil || errors.Is(err, rollout.ErrConflict):
		return err
	case c.doubt:
		return fmt.Errorf("%w: %w", rollout.ErrDoubt, reason(err))
	}
	return away(err)
}

// change is one that is being made.
type change struct {
	*Store
	revision uint64
	text     string
	doubt    bool // it was sent, and nobody knows what became of it
}

// try makes the change, or finds that an earlier try has made it.
func (c *change) try(ctx context.Context, client *clientv3.Client) error {
	at, err := c.preceding(ctx, client)
	if err != nil || at == made {
		return err
	}
	answer, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(c.key()), "=", at)).
		Then(clientv3.OpPut(c.key(), c.text)).Commit()
	switch {
	case err != nil:
		c.doubt = c.doubt || !refused(err)
		return err
	case !answer.Succeeded && c.doubt: // that may be the change itself, which came late
		at, err := c.preceding(ctx, client)
		if err == nil && at != made {
			err = errUnsettled
		}
		return err
	case !answer.Succeeded:
		return rollout.ErrConflict
	}
	return nil
}

// made is where a change is that was made.
const made = -1

var errUnsettled = errors.New("it changes all the time")

// preceding returns at which of etcd's revisions the state is that the change follows,
// 0 if the change is the first.
func (c *change) preceding(ctx context.Context, client *clientv3.Client) (int64, error) {
	answer, err := client.Get(ctx, c.key())
	if err != nil {
		return 0, err
	}
	var at int64
	now := &rollout.State{}
	if len(answer.Kvs) > 0 {
		kv := answer.Kvs[0]
		if c.doubt && string(kv.Value) == c.text {
			return made, nil
		}
		at = kv.ModRevision
		if now, err = c.decode(kv.Value); err != nil {
			return 0, err
		}
	}
	switch {
	case now.Revision+1 == c.revision:
		return at, nil
	case c.doubt && now.Revision > c.revision: // others have changed it since, and may have followed it
		return 0, errUnsettled
	}
	c.doubt = false
	return 0, rollout.ErrConflict
}

func (s *Store) decode(text []byte) (*rollout.State, error) {
	state, err := rollout.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no valid state: %w", s.key(), err)
	}
	return state, nil
}

// refused reports whether the cluster is known to have done nothing. Of what is
// unavailable, such as a server whose leader was lost, nobody knows.
func refused(err error) bool {
	var said rpctypes.EtcdError
	return errors.As(err, &said) && said.Code() != codes.Unavailable
}

func encode(value any, most int) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("etcd: encode: %w", err)
	}
	if len(text) > most {
		return "", fault.New(fault.TooLarge, fmt.Sprintf("it takes %d bytes in etcd; at most %d are allowed", len(text), most))
	}
	return string(text), nil
}
