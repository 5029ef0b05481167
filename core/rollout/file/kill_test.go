//go:build linux

package file_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/file"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

// first returns the state that a store has.
func first(s rollout.Store) *rollout.State {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var state *rollout.State
	_ = s.Watch(ctx, func(s *rollout.State) { state = s }, func(error) { cancel() })
	return state
}

var known = rollout.Catalogue{"phone": {"v1", "v2"}}

// writeOn changes the state of a file without end, and prints each revision that was
// confirmed.
func writeOn(name string) error {
	s, err := file.Open(name)
	if err != nil {
		return err
	}
	state := first(s)
	if state.Revision == 0 {
		r := rollout.Rollout{Name: "fresh", Candidate: "v2", Share: 1}
		for i := range 1000 {
			r.Rules.Allow = append(r.Rules.Allow, fmt.Sprintf("a-unit-that-makes-the-file-longer-%020d", i))
		}
		if state, err = next(s, state, rollout.Start("phone", r)); err != nil {
			return err
		}
	}
	for i := 0; ; i++ {
		if state, err = next(s, state, rollout.Grow("phone", "fresh", rollout.Percent(1+i%100))); err != nil {
			return err
		}
	}
}

func next(s rollout.Store, state *rollout.State, c rollout.Change) (*rollout.State, error) {
	changed, err := state.Apply(c, "writer", time.Now(), known)
	if err != nil {
		return nil, err
	}
	if err := s.Swap(context.Background(), changed); err != nil {
		return nil, err
	}
	_, err = fmt.Println(changed.Revision)
	return changed, err
}

func child(t *testing.T, what, name string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "FACET_TEST_CHILD="+what, "FACET_TEST_FILE="+name)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// TestKilledAtAnyMoment kills a process that changes a state fifty times: the file is
// whole each time, and not older than what was confirmed. That nothing is lost when the
// power is needs another test than this.
func TestKilledAtAnyMoment(t *testing.T) {
	const rounds = 50
	name := filepath.Join(t.TempDir(), "rollouts.json")
	unfinished, unconfirmed := 0, 0
	for round := range rounds {
		confirmed := killed(t, name)
		if _, err := os.Stat(name + ".tmp"); err == nil {
			unfinished++
		}
		s, err := file.Open(name)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got := first(s).Revision
		s.Close()
		if got < confirmed || got > confirmed+1 {
			t.Errorf("round %d: revision %d, confirmed was %d", round, got, confirmed)
		}
		if got > confirmed {
			unconfirmed++
		}
		if _, err := os.Stat(name + ".tmp"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("round %d: an unfinished file stays: %v", round, err)
		}
	}
	t.Logf("%d of %d were killed between the first byte and the rename, %d between the rename and the word",
		unfinished, rounds, unconfirmed)
}

// killed starts a writer, kills it at a random moment, and returns the revision that
// is confirmed then.
func killed(t *testing.T, name string) uint64 {
	t.Helper()
	s, err := file.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	confirmed := first(s).Revision
	s.Close()
	cmd := child(t, "writer", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range rand.IntN(4) {
		if lines.Scan() {
			confirmed = number(t, lines.Text())
		}
	}
	<-time.After(rand.N(10 * time.Millisecond)) // the moment
	_ = cmd.Process.Kill()
	for lines.Scan() {
		confirmed = number(t, lines.Text())
	}
	_ = cmd.Wait()
	return confirmed
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fillUp has the kernel refuse to write more than some bytes into a file, as it does
// when the disk is full.
func fillUp(name string) error {
	s, err := file.Open(name)
	if err != nil {
		return err
	}
	if err := s.Swap(context.Background(), storetest.At(1, "ada")); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	small := syscall.Rlimit{Cur: 100, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	if err := s.Swap(context.Background(), storetest.At(2, "eve")); !errors.Is(err, rollout.ErrAway) || !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("on a full disk: %w", err)
	}
	if first(s).Revision != 1 {
		return errors.New("another state is told than there is")
	}
	if _, err := os.Stat(name + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("an unfinished file stays: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	return s.Swap(context.Background(), storetest.At(2, "ada"))
}

func TestFullDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rollouts.json")
	if out, err := child(t, "full", name).Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := opened(t, name)
	if state := first(s); state.Revision != 2 || state.History[0].By != "ada" {
		t.Errorf("%+v", state)
	}
}

// TestOneProcessChangesTheFile: another one follows it, refuses changes, and takes over
// when it has ended.
func TestOneProcessChangesTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rollouts.json")
	cmd := child(t, "writer", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	s := opened(t, name)
	states, away := make(chan uint64, 10_000), make(chan error, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(s *rollout.State) { states <- s.Revision }, func(err error) { away <- err })
	}()
	if err := <-away; err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) {
		t.Errorf("it is away: %v", err)
	}
	if err := s.Swap(ctx, storetest.At(<-states+1, "ada")); !errors.Is(err, rollout.ErrAway) {
		t.Errorf("a change is %v", err)
	}
	if <-states == 0 {
		t.Error("it does not follow")
	}
	_ = cmd.Process.Kill()
	last := uint64(0)
	for lines.Scan() {
		last = number(t, lines.Text())
	}
	_ = cmd.Wait()
	if err := <-away; err != nil {
		t.Errorf("it does not take over: %v", err)
	}
	state := first(s)
	if state.Revision < last {
		t.Errorf("it has revision %d, and %d was confirmed", state.Revision, last)
	}
	if err := s.Swap(ctx, storetest.At(state.Revision+1, "ada")); err != nil {
		t.Errorf("a change is %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
