package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// newMode is that of a file that was not there: it may name people, in allow-lists.
const newMode fs.FileMode = 0o600

const othersWrite = 0o022

// unfinished is the file that a change is written to.
func (s *Store) unfinished() string { return s.name + ".tmp" }

// load reads the file; without one, nobody has decided anything yet.
func (s *Store) load() (*rollout.State, error) {
	text, err := s.read()
	if errors.Is(err, fs.ErrNotExist) {
		return &rollout.State{}, nil
	}
	if err != nil {
		return nil, err
	}
	return rollout.Decode(text)
}

// clear removes what a process that was killed left beside the file.
func (s *Store) clear() error {
	if err := os.Remove(s.unfinished()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *Store) read() ([]byte, error) {
	info, err := os.Lstat(s.name)
	if err != nil {
		return nil, err
	}
	if err := misplaced(info); err != nil {
		return nil, err
	}
	s.mode = info.Mode().Perm()
	f, err := os.Open(s.name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fault.InvalidField("file", fmt.Sprintf("is longer than %d bytes", maxSize))
	}
	return text, err
}

// misplaced says why a file cannot be believed. A pipe could be read without end, and
// a change would put a file in the place of a link.
func misplaced(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fault.InvalidField("file", "is no regular file")
	case info.Mode().Perm()&othersWrite != 0:
		return fault.InvalidField("file", fmt.Sprintf("others than its owner may write it (mode %04o): chmod go-w", info.Mode().Perm()))
	}
	return nil
}

// replace puts text in the place of what the file holds, and reports whether it is
// there: if it is, an error says that it may be gone after a power cut.
func (s *Store) replace(text []byte) (placed bool, err error) {
	folder, err := os.Open(filepath.Dir(s.name))
	if err != nil {
		return false, err
	}
	defer folder.Close() //nolint:errcheck // it was only synced
	if err := s.prepare(text); err != nil {
		_ = s.clear()
		return false, err
	}
	if err := os.Rename(s.unfinished(), s.name); err != nil {
		_ = s.clear()
		return false, err
	}
	return true, folder.Sync()
}

// prepare writes the file that is to take the place.
func (s *Store) prepare(text []byte) (err error) {
	if err := s.clear(); err != nil {
		return err
	}
	f, err := os.OpenFile(s.unfinished(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, s.mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(s.mode); err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}
