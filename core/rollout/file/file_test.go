package file_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/file"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

func opened(t testing.TB, name string) *file.Store {
	t.Helper()
	s, err := file.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// refused opens a file that cannot be, and looks for words in the reason.
func refused(t *testing.T, name string, words ...string) {
	t.Helper()
	s, err := file.Open(name)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	for _, word := range append(words, name) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v; want %s", err, word)
		}
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Place {
		name := filepath.Join(t.TempDir(), "rollouts.json")
		return storetest.Place{
			Open: func() rollout.Store {
				s, err := file.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Close: func(s rollout.Store) { s.(*file.Store).Close() },
		}
	})
}

func TestWhatIsNoStateStays(t *testing.T) {
	for _, c := range []struct{ name, text, word string }{
		{"empty", "", "body"},
		{"no JSON", "revision: 3", "body"},
		{"cut off", `{"revision": 3, "classes": {`, "classes"},
		{"no object", "null", "body"},
		{"more than one", `{"revision": 1}{"revision": 2}`, "body"},
		{"misspelt", `{"revision": 3, "classes": {"tv": {"salty": "x"}}}`, "classes.tv.salty"},
		{"twice", `{"revision": 3, "revision": 4}`, "revision"},
		{"of another type", `{"revision": 3, "classes": {"tv": {"rollouts": [{"share": "1"}]}}}`, "classes.tv.rollouts[0].share"},
		{"no revision", `{"classes": {}}`, "revision"},
		{"not valid", `{"revision": 3, "classes": {"phone": {"holdout": 101}}}`, "classes.phone.holdout"},
		{"too long", `{"revision": 3}` + strings.Repeat(" ", 8<<20), "longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "rollouts.json")
			write(t, name, c.text, 0o600)
			refused(t, name, c.word)
			if text, err := os.ReadFile(name); err != nil || !bytes.Equal(text, []byte(c.text)) {
				t.Errorf("the file has %.80q, %v", text, err)
			}
		})
	}
}

func write(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNoFileOfItsOwnersIsRefused(t *testing.T) {
	folder := t.TempDir()
	other := filepath.Join(folder, "other")
	write(t, other, `{"revision": 1}`, 0o600)
	for name, put := range map[string]func(name string) error{
		"writable": func(name string) error { write(t, name, `{"revision": 1}`, 0o620); return nil },
		"folder":   func(name string) error { return os.Mkdir(name, 0o700) },
		"link":     func(name string) error { return os.Symlink(other, name) },
		"pipe":     func(name string) error { return syscall.Mkfifo(name, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			name := filepath.Join(folder, name)
			if err := put(name); err != nil {
				t.Fatal(err)
			}
			refused(t, name, "file")
		})
	}
	refused(t, filepath.Join(folder, "nowhere", "rollouts.json"), "no such file")
	refused(t, filepath.Join(other, "rollouts.json"), "not a directory")
}

// TestAFolderThatCannotBeWritten is no reason not to start; /sys is one, also for root.
func TestAFolderThatCannotBeWritten(t *testing.T) {
	s := opened(t, "/sys/rollouts.json")
	ctx, cancel := context.WithCancel(t.Context())
	var revision uint64
	var away error
	if err := s.Watch(ctx, func(s *rollout.State) { revision = s.Revision }, func(err error) { away = err; cancel() }); err != nil {
		t.Fatal(err)
	}
	if revision != 0 || away == nil {
		t.Errorf("it tells revision %d, and is away: %v", revision, away)
	}
	if err := s.Swap(t.Context(), storetest.At(1, "ada")); !errors.Is(err, rollout.ErrAway) {
		t.Errorf("a change is %v", err)
	}
}

// TestCheckMakesNothing, whoever has the file.
func TestCheckMakesNothing(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "rollouts.json")
	if err := file.Check(name); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	opened(t, name)
	if err := file.Check(name); err != nil {
		t.Errorf("while it is open: %v", err)
	}
	write(t, name, `{"revision": 0}`, 0o600)
	if err := file.Check(name); err == nil {
		t.Error("it finds nothing wrong")
	}
}

func TestModes(t *testing.T) {
	folder := t.TempDir()
	for name, mode := range map[string]fs.FileMode{"new": 0o600, "private": 0o400, "shown": 0o644} {
		name := filepath.Join(folder, name)
		if mode != 0o600 {
			write(t, name, `{"revision": 1}`, mode)
		}
		s := opened(t, name)
		if err := s.Swap(t.Context(), storetest.At(first(s).Revision+1, "ada")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestWhatIsLeftIsRemoved(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rollouts.json")
	write(t, name, `{"revision": 7}`, 0o600)
	write(t, name+".tmp", `{"revision": 8, "cla`, 0o666)
	if s := opened(t, name); first(s).Revision != 7 {
		t.Errorf("%+v", first(s))
	}
	if _, err := os.Stat(name + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestNothingChangesWhereNothingCanBeWritten runs as root, too, whom no mode stops.
func TestNothingChangesWhereNothingCanBeWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "rollouts.json")
	s := opened(t, name)
	w := storetest.Watch(t, s)
	if err := s.Swap(t.Context(), storetest.At(1, "ada")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	refuses := func(what string) {
		t.Helper()
		if err := s.Swap(t.Context(), storetest.At(2, "eve")); !errors.Is(err, rollout.ErrAway) {
			t.Errorf("%s: %v", what, err)
		}
		storetest.Until(t, "it is said", func() bool { return w.Away() != nil })
	}
	move(t, folder, folder+"-away")
	refuses("without its folder")
	write(t, folder, "", 0o600)
	refuses("with a file in the place of the folder")
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	move(t, folder+"-away", folder)
	blocked := filepath.Join(name+".tmp", "something")
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	refuses("with something in the way")
	if text, err := os.ReadFile(name); err != nil || !bytes.Equal(text, before) {
		t.Errorf("the file has %s, %v", text, err)
	}
	if err := os.RemoveAll(name + ".tmp"); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context(), storetest.At(2, "ada")); err != nil {
		t.Error(err)
	}
	storetest.Until(t, "it is there again", func() bool { return w.Is(2) && w.Away() == nil })
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestACallerWhoHasNoTimeChangesNothing(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "rollouts.json"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Swap(ctx, storetest.At(1, "eve")); !errors.Is(err, rollout.ErrAway) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if first(s).Revision != 0 {
		t.Error("it was changed")
	}
}

func BenchmarkSwap(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "rollouts.json"))
	b.ReportAllocs()
	for revision := uint64(1); b.Loop(); revision++ {
		if err := s.Swap(b.Context(), storetest.At(revision, "ada")); err != nil {
			b.Fatal(err)
		}
	}
}
