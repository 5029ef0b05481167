package adaptertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/adaptertest"
)

func TestMain(m *testing.M) { adaptertest.Main(m) }

// recorder is a test that only notes what it is told, by sub-test.
type recorder struct {
	name   string
	faults map[string][]string
}

func newRecorder() *recorder { return &recorder{faults: map[string][]string{}} }

func (r *recorder) Run(name string, f func(*recorder)) bool {
	f(&recorder{name: name, faults: r.faults})
	return len(r.faults[name]) == 0
}

func (r *recorder) Errorf(format string, args ...any) {
	r.faults[r.name] = append(r.faults[r.name], fmt.Sprintf(format, args...))
}

func (*recorder) Logf(string, ...any) {}

// prove proves a page and returns what was found, by sub-test.
func prove(p adaptertest.Page) map[string]string {
	r := newRecorder()
	adaptertest.Prove(r, p)
	found := map[string]string{}
	for name, faults := range r.faults {
		found[name] = strings.Join(faults, "\n")
	}
	return found
}
