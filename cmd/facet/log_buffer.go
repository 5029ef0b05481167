package main

import (
	"io"
	"sync"
	"time"
)

// logBuffer gathers log lines and writes them together: a system call for each
// line costs more than the line. A line waits 100 ms at most. What a crash of
// the process loses is what waits; a stop loses nothing. Safe for concurrent use.
type logBuffer struct {
	to io.Writer

	mu      sync.Mutex
	lines   []byte
	waiting *time.Timer // to the next flush; nil while nothing waits
}

const (
	logDelay = 100 * time.Millisecond
	logRoom  = 32 << 10 // bytes; more are written at once
)

// Write takes a line. It never fails: there is nobody to tell.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line...)
	switch {
	case len(b.lines) >= logRoom:
		b.write()
	case b.waiting == nil:
		b.waiting = time.AfterFunc(logDelay, b.flush)
	}
	return len(line), nil
}

// flush writes what waits.
func (b *logBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write()
}

func (b *logBuffer) write() {
	if b.waiting != nil {
		b.waiting.Stop()
		b.waiting = nil
	}
	if len(b.lines) > 0 {
		_, _ = b.to.Write(b.lines)
		b.lines = b.lines[:0]
	}
}
