// Package leaktest fails the tests of a package that leave something open: a goroutine, a
// socket, a file or a pipe.
package leaktest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long descriptors may take to be closed once the tests have ended: the
// other end of a connection closes its own when it sees that.
const patience = 5 * time.Second

// descriptors is where Linux tells which ones a process has.
const descriptors = "/proc/self/fd"

// Main runs the tests of a package, and ends the process: with a failure if goroutines
// are left that no option excepts, or descriptors that were not open before. Where the
// system does not tell which are open, only goroutines count.
func Main(m goleak.TestingM, options ...goleak.Option) {
	before := open()
	goleak.VerifyTestMain(m, append(options, goleak.Cleanup(func(code int) {
		if code == 0 {
			code = settle(before)
		}
		os.Exit(code)
	}))...)
}

// settle waits until nothing is open that was not before, and returns the code to end with.
func settle(before map[string]string) (code int) {
	var more []string
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if more = beyond(open(), before); len(more) == 0 {
			return 0
		}
		if time.Now().After(end) {
			break
		}
	}
	fmt.Fprintf(os.Stderr, "leaktest: %d descriptors are left open: %s\n", len(more), strings.Join(more, ", "))
	return 1
}

// beyond returns what is open and was not before.
func beyond(now, before map[string]string) (more []string) {
	for _, fd := range slices.Sorted(maps.Keys(now)) {
		if before[fd] != now[fd] {
			more = append(more, fd+" "+now[fd])
		}
	}
	return more
}

// open returns what each descriptor is of: sockets, pipes and files by their names. The
// runtime's own, which it opens when it first needs them, do not count: its poller, and
// what limits its processors.
func open() map[string]string {
	entries, _ := os.ReadDir(descriptors) // none where the system does not tell
	all := make(map[string]string, len(entries))
	for _, e := range entries {
		of, err := os.Readlink(descriptors + "/" + e.Name())
		if err == nil && !runtimes(of) { // else it was the listing's own
			all[e.Name()] = of
		}
	}
	return all
}

// runtimes reports what is the runtime's.
func runtimes(of string) bool {
	return of == "anon_inode:[eventpoll]" || of == "anon_inode:[eventfd]" || strings.HasPrefix(of, "/sys/fs/cgroup/")
}

// Descriptors counts what is open. The test is skipped where the system does not tell.
func Descriptors(t testing.TB) int {
	t.Helper()
	all := open()
	if len(all) == 0 {
		t.Skip("this system does not tell which descriptors are open")
	}
	return len(all)
}

// Circuits excepts the two goroutines that hystrix-go keeps for each circuit, for ever.
func Circuits() []goleak.Option {
	const monitor = "github.com/afex/hystrix-go/hystrix.(*"
	return []goleak.Option{
		goleak.IgnoreAnyFunction(monitor + "metricExchange).Monitor"),
		goleak.IgnoreAnyFunction(monitor + "poolMetrics).Monitor"),
	}
}
