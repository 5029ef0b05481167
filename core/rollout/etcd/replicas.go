package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// presence is what the others see of this replica.
type presence struct {
	lease clientv3.LeaseID // 0: none yet
	next  time.Time        // when the next report is due
}

const (
	life        = 5 // seconds of a lease that nothing renews
	every       = time.Second
	early       = every / 4 // that a report may come too early, so that a caller's ticker may be late before
	maxReplicas = 1_000
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

func (s *Store) replicas() string { return s.options.Prefix + "/replicas/" }

// Report writes what this replica tells, and keeps it alive for 5 s more. It writes
// once a second: what comes earlier is left out, and the next one tells. The id is of
// A-Z, a-z, 0-9, _, . and -, 128 at most, and the report has at most 256 KiB. It takes
// a second at most.
func (s *Store) Report(ctx context.Context, r rollout.Replica) error {
	if !validID.MatchString(r.ID) {
		return fault.InvalidField("id", "must be 1 to 128 of A-Z, a-z, 0-9, _, . and -")
	}
	text, err := encode(r, maxReport)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := acquire(ctx, s.report); err != nil {
		return away(err)
	}
	defer release(s.report)
	if !s.due(time.Now()) {
		return nil
	}
	err = s.call(ctx, limit, func(ctx context.Context, c *clientv3.Client) error {
		return s.announce(ctx, c, s.replicas()+r.ID, text)
	})
	if err != nil {
		return away(err)
	}
	return nil
}

func (p *presence) due(now time.Time) bool {
	if now.Before(p.next.Add(-early)) {
		return false
	}
	if now.After(p.next) {
		p.next = now
	}
	p.next = p.next.Add(every)
	return true
}

// announce writes the key, and renews its lease or has another one granted.
func (s *Store) announce(ctx context.Context, c *clientv3.Client, key, text string) error {
	if s.lease != clientv3.NoLease {
		_, err := c.Put(ctx, key, text, clientv3.WithLease(s.lease))
		if err == nil {
			_, err = c.KeepAliveOnce(ctx, s.lease)
		}
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return err
		}
	}
	granted, err := c.Grant(ctx, life)
	if err != nil {
		return err
	}
	s.lease = granted.ID
	_, err = c.Put(ctx, key, text, clientv3.WithLease(s.lease))
	return err
}

// leave ends the lease, and with it what the others see.
func (s *Store) leave() {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	if acquire(ctx, s.report) != nil {
		return
	}
	defer release(s.report)
	if s.lease == clientv3.NoLease {
		return
	}
	_ = s.call(ctx, limit, func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Revoke(ctx, s.lease)
		return err
	})
	s.lease = clientv3.NoLease
}

// Replicas reads what the replicas tell, by the order of their ids, 1,000 at most. What
// is no report is left out. It takes a second at most.
func (s *Store) Replicas(ctx context.Context) ([]rollout.Replica, error) {
	var answer *clientv3.GetResponse
	err := s.call(ctx, limit, func(ctx context.Context, c *clientv3.Client) (err error) {
		answer, err = c.Get(ctx, s.replicas(), clientv3.WithPrefix(), clientv3.WithLimit(maxReplicas))
		return err
	})
	if err != nil {
		return nil, away(err)
	}
	all := make([]rollout.Replica, 0, len(answer.Kvs))
	for _, kv := range answer.Kvs {
		var r rollout.Replica
		if json.Unmarshal(kv.Value, &r) == nil && s.replicas()+r.ID == string(kv.Key) {
			all = append(all, r)
		}
	}
	return all, nil
}
