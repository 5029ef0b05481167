package cache_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/core/cache"
)

// absent is a store that lets replicas agree, and is not there.
type absent struct {
	*clocked
	tried atomic.Int64
}

func (a *absent) Watch(context.Context, func(), func(cache.Invalidation)) error {
	a.tried.Add(1)
	return errBroken
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestAStoreThatNeverWasThereIsTold, once and with the reason: a wrong password looks
// like a quiet night otherwise.
func TestAStoreThatNeverWasThereIsTold(t *testing.T) {
	a, log := &absent{clocked: newClocked(0)}, &lines{}
	s, err := cache.NewShared(a, cache.Options{}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Connect()
	until(t, "it is tried again and again", func() bool { return a.tried.Load() > 3 })
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, errBroken.Error()) {
		t.Errorf("the log says %q", text)
	}
}
