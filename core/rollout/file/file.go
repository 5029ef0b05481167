// Package file keeps the state of rollouts in one file of JSON: what a gateway uses
// that shares it with no other.
//
// A change is written to a file beside it, which is brought to the disk (fsync) and
// then takes its place in one step (rename), which is brought there, too. Whenever
// the program is killed, the file holds one whole state: the last that was confirmed,
// or the one that was being written. A change takes as long as the disk does, some
// milliseconds; nothing waits for it but other changes.
//
// One process has the file: it holds a lock (flock) on another one beside it for as
// long as it lives, and a second process that opens it fails. It could as well read
// the file again before each change, but it would not hear of the other's changes,
// and two gateways would answer by different states for as long as nobody changes
// anything. Whoever wants two of them wants etcd. The lock is the kernel's: it ends
// with the process, however it ends.
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

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// Store is a file. It is a [rollout.Store].
type Store struct {
	name  string
	mode  fs.FileMode
	lock  *os.File
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

// Check says what is wrong with the file of a name, as Open does, but neither makes nor
// changes anything, and does not care who else has it.
func Check(name string, check func(*rollout.State) error) error {
	if err := newStore(name).load(check); err != nil {
		return fmt.Errorf("the rollouts of %s: %w", name, err)
	}
	return nil
}

// Open reads the file of a name, which need not be there yet, in a folder that must.
// A file that holds no valid state is an error that names the file and the field, and
// stays as it is; what check says is wrong with a state counts, too, nil checks nothing.
//
// In a folder that cannot be written the file is read all the same; changes are refused.
func Open(name string, check func(*rollout.State) error) (*Store, error) {
	s := newStore(name)
	lock, err := claim(name)
	switch {
	case err == nil:
		s.lock = lock
		err = s.clear()
	case readOnly(err):
		s.now.fail, err = err, nil
	}
	if err == nil {
		err = s.load(check)
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

// Watch tells the states that this process makes. That a change could not be written
// makes the file unavailable until one can.
func (s *Store) Watch(ctx context.Context, changed func(*rollout.State), available func(error)) error {
	var told moment
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
