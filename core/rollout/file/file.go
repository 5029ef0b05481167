// Package file keeps the state of rollouts in one file of JSON: what a gateway uses
// that shares it with no other.
//
// A change is written to a file beside it, which is brought to the disk (fsync) and
// then takes its place in one step (rename), which is brought there, too. Whenever
// the program is killed, the file holds one whole state: the last that was confirmed,
// or the one that was being written. A change takes as long as the disk does, some
// milliseconds; nothing waits for it but other changes.
//
// One process changes the file: it holds a lock (flock) on another one beside it for
// as long as it lives. Another process that opens it reads it again each second, so
// that it answers by the same state a moment later, refuses changes, and takes the
// lock when it is free: a gateway can begin while the one before it drains. Whoever
// wants two of them for long wants etcd. The lock is the kernel's: it ends with the
// process, however it ends.
//
// What somebody else writes into the file while it is open is not read, and the next
// change writes over it: the private port is there for changes. The folder must be
// writable, not only the file, so in a container it is the folder that is mounted.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// Store is a file. It is a [rollout.Store].
type Store struct {
	name  string
	mode  fs.FileMode
	lock  *os.File      // nil: another process has it, or the folder cannot be written; whoever holds write changes it
	write chan struct{} // of size one: whoever holds it changes the file
	ended chan struct{} // closed by Close

	mu      sync.Mutex
	now     moment
	replica []rollout.Replica // this one, once it has reported
}

// moment is what watchers hear of. It never changes.
type moment struct {
	state *rollout.State
	fail  error         // why the last change could not be written
	over  chan struct{} // closed when there is another
}

// maxSize is how long a file may be: more than a document of 1,000 rollouts.
const maxSize = 8 << 20 // bytes

var errClosed = errors.New("the file of rollouts was closed")

var errTaken = errors.New("another process has it")

// Check says what is wrong with the file of a name, as Open does, but neither makes nor
// changes anything, and does not care who else has it.
func Check(name string) error {
	if _, err := newStore(name).load(); err != nil {
		return fmt.Errorf("the rollouts of %s: %w", name, err)
	}
	return nil
}

// Open reads the file of a name, which need not be there yet, in a folder that must.
// A file that holds no valid state is an error that names the file and the field, and
// stays as it is.
//
// A file that another process has, or in a folder that cannot be written, is read all
// the same; changes are refused for as long as that is so.
func Open(name string) (*Store, error) {
	s := newStore(name)
	err := s.claim()
	if err == nil || readOnly(err) || errors.Is(err, errTaken) {
		s.now.fail = err
		s.now.state, err = s.load()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("the rollouts of %s: %w", name, err)
	}
	return s, nil
}

func newStore(name string) *Store {
	s := &Store{name: name, mode: newMode, write: make(chan struct{}, 1), ended: make(chan struct{})}
	s.now = moment{state: &rollout.State{}, over: make(chan struct{})}
	return s
}

// claim takes the lock, and removes what a process that was killed left.
func (s *Store) claim() error {
	lock, err := claim(s.name)
	if err != nil {
		return err
	}
	s.lock = lock
	return s.clear()
}

// again is how often a process that has not got the lock looks at the file.
const again = time.Second

// follow reads the file again, and takes the lock if it is free. A process that has it
// knows the state.
func (s *Store) follow() {
	s.write <- struct{}{}
	defer func() { <-s.write }()
	if s.lock != nil || s.closed() {
		return
	}
	away := s.claim()
	state, err := s.load()
	if err != nil { // the last good state holds
		state, away = s.current().state, err
	}
	if now := s.current(); state.Revision == now.state.Revision {
		state = now.state
	}
	s.become(state, away)
}

// readOnly reports whether an error says that the folder cannot be written.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// Close lets another process have the file. It waits for a change that is being
// written. A second time it does nothing.
func (s *Store) Close() {
	s.write <- struct{}{}
	defer func() { <-s.write }()
	if s.closed() {
		return
	}
	close(s.ended)
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

func (s *Store) closed() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Watch tells the states that this process makes, or follows. That changes cannot be
// written makes the file unavailable until they can.
func (s *Store) Watch(ctx context.Context, changed func(*rollout.State), available func(error)) error {
	var told moment
	look := time.NewTicker(again)
	defer look.Stop()
	for {
		now := s.current()
		if now.state != told.state {
			changed(now.state)
		}
		if told.state == nil || (now.fail == nil) != (told.fail == nil) {
			available(now.fail)
		}
		told = now
		select {
		case <-ctx.Done():
			return nil
		case <-s.ended:
			return errClosed
		case <-now.over:
		case <-look.C:
			s.follow()
		}
	}
}

func (s *Store) current() moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// become tells the watchers of another moment.
func (s *Store) become(state *rollout.State, fail error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.now.over)
	s.now = moment{state, fail, make(chan struct{})}
}

// Swap writes a state. How long the disk takes is not bounded by ctx; how long it
// waits for other changes is.
func (s *Store) Swap(ctx context.Context, next *rollout.State) error {
	text, err := encode(next)
	if err != nil {
		return err
	}
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer func() { <-s.write }()
	if s.closed() {
		return fmt.Errorf("%w: %w", rollout.ErrAway, errClosed)
	}
	if s.lock == nil {
		return fmt.Errorf("%w: %w", rollout.ErrAway, s.current().fail)
	}
	now := s.current().state
	if next.Revision != now.Revision+1 {
		return rollout.ErrConflict
	}
	placed, err := s.replace(text)
	switch {
	case err == nil:
		s.become(next, nil)
		return nil
	case placed:
		s.become(next, err)
		return fmt.Errorf("%w: %w", rollout.ErrDoubt, err)
	default:
		s.become(now, err)
		return fmt.Errorf("%w: %w", rollout.ErrAway, err)
	}
}

// turn waits for the right to write.
func (s *Store) turn(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case s.write <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("%w: %w", rollout.ErrAway, context.Cause(ctx))
}

// encode writes a state so that people can read it.
func encode(state *rollout.State) ([]byte, error) {
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the rollouts: %w", err)
	}
	if len(text) >= maxSize {
		return nil, fault.New(fault.TooLarge, fmt.Sprintf("the rollouts take %d bytes; at most %d are allowed", len(text), maxSize-1))
	}
	return append(text, '\n'), nil
}

// Report keeps what this replica tells, for Replicas.
func (s *Store) Report(_ context.Context, r rollout.Replica) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replica = []rollout.Replica{r}
	return nil
}

// Replicas returns this replica: there is no other.
func (s *Store) Replicas(context.Context) ([]rollout.Replica, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.replica), nil
}
