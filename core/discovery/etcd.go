package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/secret"
)

// EtcdOptions say which keys of which cluster are the instances. What is "" is not
// needed, unless it says otherwise. Files are read whenever a connection is made anew.
type EtcdOptions struct {
	Endpoints    []string // of the cluster's servers: http://HOST:PORT each, or https://HOST:PORT each; 1 to 16
	Prefix       string   // of the keys, without the slash that follows it, such as "/services/catalog"; required
	User         string   // with PasswordFile
	PasswordFile string   // one line
	CAFile       string   // PEM: who may sign the servers' certificates; "": whom the system trusts
	CertFile     string   // PEM: who this gateway is, with KeyFile
	KeyFile      string
}

const (
	maxEndpoints = 16
	maxPrefix    = 200       // bytes
	brief        = limit / 4 // of a first try: another server may answer when one hangs
	beating      = limit     // between two questions whether the watch has lost something
	gathering    = shortest  // changes that come at once are read at once
	opening      = limit / 2 // of a watch
	maxTries     = 3         // of a call that was refused: with another token
)

// Etcd watches the keys under a prefix. Each holds an instance, as HOST:PORT or as
// {"address": "HOST:PORT", "zone": "…"}, and is best put under a lease that the
// instance renews, so that it goes when the instance does. A key that holds something
// else is left out.
//
// A change has all keys read anew, at most ten times a second. Every 2 s the cluster is
// asked for its newest key: that finds a server that hangs, and a watch that has lost
// something, be it a revision that was compacted or a leader.
type Etcd struct{ options EtcdOptions }

// NewEtcd returns the resolver of a prefix. An error names the option at fault; no
// file is read.
func NewEtcd(o EtcdOptions) (*Etcd, error) {
	if len(o.Endpoints) == 0 || len(o.Endpoints) > maxEndpoints {
		return nil, fault.InvalidField("endpoints", fmt.Sprintf("there are %d; allowed: 1 to %d", len(o.Endpoints), maxEndpoints))
	}
	for n, e := range o.Endpoints {
		if !validURL(e) || secure(e) != secure(o.Endpoints[0]) {
			return nil, fault.InvalidField(fmt.Sprintf("endpoints[%d]", n),
				fmt.Sprintf("%.100q is none; allowed: http://HOST:PORT each, or https://HOST:PORT each", e))
		}
	}
	switch {
	case len(o.Prefix) > maxPrefix || !path.IsAbs(o.Prefix) || path.Clean(o.Prefix) != o.Prefix || o.Prefix == "/":
		return nil, fault.InvalidField("prefix", fmt.Sprintf("%.200q is none; allowed: at most %d bytes, such as /services/catalog",
			o.Prefix, maxPrefix))
	case (o.User == "") != (o.PasswordFile == ""):
		return nil, fault.InvalidField("user", "a user has a password_file, and nobody else has one")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return nil, fault.InvalidField("cert", "it needs its key, and the key needs it")
	case o.CAFile+o.CertFile != "" && !secure(o.Endpoints[0]):
		return nil, fault.InvalidField("ca", "ca and cert are for endpoints of https")
	}
	return &Etcd{options: o}, nil
}

func (e *Etcd) String() string { return "etcd " + e.options.Prefix }

// Watch reads the keys, and waits for them to change.
func (e *Etcd) Watch(ctx context.Context, told func([]Instance), failed func(error)) {
	w := &etcdWatch{Etcd: e, teller: teller{registry: "etcd", told: told, failed: failed}}
	for ctx.Err() == nil {
		began := time.Now()
		err := w.connected(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.fail(etcdFault(err))
		} else if time.Since(began) > longest {
			w.reset()
		}
		w.pause(ctx)
	}
}

// etcdFault says in a few words why a call failed.
func etcdFault(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	for _, no := range []error{rpctypes.ErrAuthFailed, rpctypes.ErrPermissionDenied, rpctypes.ErrAuthNotEnabled, rpctypes.ErrUserEmpty} {
		if errors.Is(rpctypes.Error(err), no) {
			return refused("etcd", "says "+no.Error())
		}
	}
	return away("etcd", err)
}

// etcdWatch is a Watch. One goroutine has it.
type etcdWatch struct {
	*Etcd
	teller
	backoff
	client *clientv3.Client
}

// connected makes a client, and follows the keys with it until a watch of it has ended
// or something is wrong. A server that hangs keeps the connections that it has, but gets
// no new ones: so the next client has only servers that work.
func (w *etcdWatch) connected(ctx context.Context) (err error) {
	if w.client, err = w.options.client(ctx); err != nil {
		return err
	}
	defer w.client.Close() //nolint:errcheck // it has served
	for {
		changed, err := w.follow(ctx)
		if err != nil || !changed {
			return err
		}
		w.reset()
		wait(ctx, gathering)
	}
}

// client never waits, but with a user, for a token.
func (o *EtcdOptions) client(ctx context.Context) (*clientv3.Client, error) {
	password, secured, err := o.secrets()
	if err != nil {
		return nil, away("etcd", err)
	}
	return clientv3.New(clientv3.Config{
		Context: ctx, Endpoints: o.Endpoints, Username: o.User, Password: password, TLS: secured, Logger: zap.NewNop(),
		DialTimeout: limit, MaxCallRecvMsgSize: maxAnswer, MaxCallSendMsgSize: maxAnswer, MaxUnaryRetries: maxTries,
	})
}

// secrets reads the files.
func (o *EtcdOptions) secrets() (password string, secured *tls.Config, err error) {
	if o.PasswordFile != "" {
		if password, err = secret.Read(o.PasswordFile); err != nil {
			return "", nil, fmt.Errorf("password_file: %w", err)
		}
	}
	if !secure(o.Endpoints[0]) {
		return password, nil, nil
	}
	secured = &tls.Config{MinVersion: tls.VersionTLS12}
	if secured.RootCAs, err = authorities(o.CAFile); err != nil {
		return "", nil, fmt.Errorf("ca: %w", err)
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return "", nil, fmt.Errorf("cert: %w", err)
		}
		secured.Certificates = []tls.Certificate{pair}
	}
	return password, secured, nil
}

// follow reads the keys and waits until they change, or the watch has ended or lost
// something.
func (w *etcdWatch) follow(ctx context.Context) (changed bool, err error) {
	from, err := w.read(ctx)
	if err != nil {
		return false, err
	}
	before, err := w.newest(ctx)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	slow := time.AfterFunc(opening, cancel) // the call below waits for a server, which may hang
	events := w.client.Watch(ctx, w.options.Prefix+"/", clientv3.WithPrefix(), clientv3.WithRev(from), clientv3.WithFragment())
	slow.Stop()
	beat := time.NewTicker(beating)
	defer beat.Stop()
	for {
		select {
		case e, open := <-events:
			if !open || e.Err() != nil {
				return false, nil
			}
			if len(e.Events) > 0 {
				return true, nil
			}
		case <-beat.C:
			if now, err := w.newest(ctx); err != nil || now != before {
				return false, err
			}
		}
	}
}

// read tells what the keys hold, and returns the revision that follows.
func (w *etcdWatch) read(ctx context.Context) (from int64, err error) {
	answer, err := w.get(ctx, clientv3.WithLimit(MaxInstances+1))
	if err != nil {
		return 0, err
	}
	var found []Instance
	var flaw error
	for _, kv := range answer.Kvs {
		i, err := readEtcd(kv.Value)
		if err != nil {
			flaw = rubbish("etcd", fmt.Sprintf("has a key that holds no instance, %.200q: %v", kv.Key, err))
			continue
		}
		found = append(found, i)
	}
	w.tell(found, flaw)
	return answer.Header.Revision + 1, nil
}

// newest is what tells two states of the keys apart: how many there are, and when the
// last of them was put.
type newest struct{ count, revision int64 }

func (w *etcdWatch) newest(ctx context.Context) (newest, error) {
	answer, err := w.get(ctx, clientv3.WithKeysOnly(), clientv3.WithLimit(1),
		clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend))
	if err != nil {
		return newest{}, err
	}
	n := newest{count: answer.Count}
	if len(answer.Kvs) > 0 {
		n.revision = answer.Kvs[0].ModRevision
	}
	return n, nil
}

// get asks for the keys, the first two times briefly, each time another server.
func (w *etcdWatch) get(ctx context.Context, o ...clientv3.OpOption) (answer *clientv3.GetResponse, err error) {
	for _, within := range []time.Duration{brief, brief, limit - 2*brief} {
		answer, err = w.try(ctx, within, o)
		if err == nil || ctx.Err() != nil || fault.CodeOf(etcdFault(err)) == fault.Forbidden {
			break
		}
	}
	return answer, err
}

func (w *etcdWatch) try(ctx context.Context, within time.Duration, o []clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return w.client.Get(ctx, w.options.Prefix+"/", append(o, clientv3.WithPrefix())...)
}
