package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// counted counts what is written at once.
type counted struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return c.text.Write(p)
}

func (c *counted) seen() (string, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String(), c.writes
}

func TestLogBufferLosesNothing(t *testing.T) {
	var to counted
	b := &logBuffer{to: &to}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				fmt.Fprintf(b, "line %d of %d\n", i, g)
			}
		})
	}
	wg.Wait()
	b.flush()
	text, writes := to.seen()
	if lines := strings.Count(text, "\n"); lines != 16_000 || writes > 100 {
		t.Fatalf("%d lines in %d writes", lines, writes)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "line ") {
			t.Fatalf("a torn line: %q", line)
		}
	}
}

func TestLogBufferWritesSoon(t *testing.T) {
	var to counted
	b := &logBuffer{to: &to}
	for range 2 { // a second time after it was empty
		before, _ := to.seen()
		_, _ = b.Write([]byte("a line\n"))
		if took, ok := within(5*time.Second, func() bool { text, _ := to.seen(); return len(text) > len(before) }); !ok {
			t.Fatalf("nothing was written after %v", took)
		}
	}
	b.flush()
	if _, writes := to.seen(); writes != 2 {
		t.Fatalf("%d writes, want 2", writes)
	}
}
