package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

const auditMode = 0o600

// auditFile is the file of the audit. It is appended to, a system call for each
// line, so that a crash of the process loses none. What cannot be written is told
// to the log, line and all.
type auditFile struct {
	path string
	file *os.File // nil: not open
	log  *slog.Logger
}

// check says what would be in the way of open. It makes nothing.
func (a *auditFile) check() error {
	info, err := os.Stat(a.path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", a.path)
	}
	if err == nil {
		return nil
	}
	if info, err = os.Stat(filepath.Dir(a.path)); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s", filepath.Dir(a.path))
	}
	return nil
}

func (a *auditFile) open() error {
	file, err := os.OpenFile(a.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, auditMode)
	if err != nil {
		return fmt.Errorf("operators.audit: %w", err)
	}
	a.file = file
	return nil
}

func (a *auditFile) close() {
	if a.file != nil {
		_ = a.file.Close() // each line was written at once
	}
}

// Write appends a line. The audit writes one at a time.
func (a *auditFile) Write(line []byte) (int, error) {
	if a.file == nil {
		return 0, io.ErrClosedPipe
	}
	n, err := a.file.Write(line)
	if err != nil {
		a.log.Error("the audit cannot be written", "err", err, "line", string(line))
	}
	return n, err //nolint:wrapcheck // it is an io.Writer
}
