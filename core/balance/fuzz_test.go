package balance_test

import (
	"errors"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

// FuzzPool: whatever is done in which order, what is in flight is what was picked and
// not ended, each server is closed once, after its last call, and a pick fails only
// where there is nothing to pick.
func FuzzPool(f *testing.F) {
	f.Add([]byte{0x01, 0x10, 0x10, 0x20, 0x02, 0x21, 0x10, 0x30, 0x40, 0x22})
	f.Add([]byte{0x1f, 0x11, 0x11, 0x24, 0x24, 0x0a, 0x11, 0x25, 0x50, 0x10})
	f.Fuzz(func(t *testing.T, steps []byte) {
		w := newWorld(t, balance.DefaultOptions())
		var held []*balance.Member[*server]
		spread, told := &report.Spread{}, 0
		for _, step := range steps[:min(len(steps), 500)] {
			switch arg := int(step & 15); step >> 4 {
			case 0: // another list; one of 0 is refused
				if err := w.pool.Update(someOf(arg)); err == nil {
					told = arg
				} else if arg != 0 {
					t.Fatal(err)
				}
			case 1:
				held = pick(t, w, held, nil, told)
			case 2:
				held = end(held, arg, balance.Success)
			case 3:
				held = end(held, arg, balance.Fault)
			case 4:
				held = end(held, arg, balance.Silent)
			case 5:
				spread = &report.Spread{}
			case 6:
				held = pick(t, w, held, spread, told)
			case 7:
				reconfigure(t, w, arg)
			}
			checkInFlight(t, w, len(held))
		}
		w.pool.Close()
		checkInFlight(t, w, len(held))
		for len(held) > 0 {
			held = end(held, 0, balance.Success)
		}
		if left := w.pool.Status(); len(left) != 0 {
			t.Fatalf("left: %+v", left)
		}
		w.checkClosed()
	})
}

// someOf returns those of four instances whose bits are set.
func someOf(bits int) (some []discovery.Instance) {
	for i, in := range zones("a", "a", "b", "") {
		if bits&(1<<i) != 0 {
			some = append(some, in)
		}
	}
	return some
}

func pick(t *testing.T, w *world, held []*balance.Member[*server], s *report.Spread, told int) []*balance.Member[*server] {
	m, err := w.pool.Pick(s)
	if err != nil {
		if told != 0 && (s == nil || !errors.Is(err, report.ErrNoOther)) || told == 0 && !errors.Is(err, balance.ErrNoInstance) {
			t.Fatal(told, err)
		}
		return held
	}
	w.begin(m)
	return append(held, m)
}

func end(held []*balance.Member[*server], i int, o balance.Outcome) []*balance.Member[*server] {
	if len(held) == 0 {
		return held
	}
	i %= len(held)
	held[i].C.now--
	held[i].Done(o, time.Duration(i)*time.Millisecond)
	return append(held[:i], held[i+1:]...)
}

func reconfigure(t *testing.T, w *world, bits int) {
	o := balance.DefaultOptions()
	o.Outlier.Consecutive, o.Outlier.MaxPercent, o.Zone = bits&3, 25*(bits&3+1), "a"
	if bits&4 != 0 {
		o.Policy, o.Zone = balance.RoundRobin, ""
	}
	if err := w.pool.Configure(o); err != nil {
		t.Fatal(err)
	}
}

func checkInFlight(t *testing.T, w *world, want int) {
	got := 0
	for _, s := range w.pool.Status() {
		if s.InFlight < 0 || s.Faults < 0 || s.State == balance.Draining && s.InFlight == 0 {
			t.Fatalf("%+v", s)
		}
		got += s.InFlight
	}
	if got != want {
		t.Fatalf("%d calls in flight, want %d", got, want)
	}
}
