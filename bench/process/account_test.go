package process

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 2 3 4 5 6 7 8 9 10 250 33 0 0 20 0"
	cases := []struct {
		name, text string
		want       time.Duration
		faulty     bool
	}{
		{"plain", "42 (facet)" + rest, 2830 * time.Millisecond, false},
		{"a name to trip over", "42 (a) (b c) 7)" + rest, 2830 * time.Millisecond, false},
		{"cut short", "42 (facet) S 1 2 3", 0, true},
		{"no name", rest, 0, true},
		{"empty", "", 0, true},
		{"not a number", "42 (facet)" + strings.Replace(rest, "250", "x", 1), 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat([]byte(c.text))
			if got != c.want || (err != nil) != c.faulty {
				t.Errorf("got %v, %v; want %v, fault %v", got, err, c.want, c.faulty)
			}
		})
	}
}

func TestAccountingOfThisProcess(t *testing.T) {
	t.Parallel()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for after := before; after < before+10*tick; {
		if time.Now().After(deadline) {
			t.Fatalf("10 s of work are accounted as %v", after-before)
		}
		if after, err = cpuTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if peak, err := peakMemory(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("peak memory %d, %v", peak, err)
	}
}

func TestParsePeak(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text   string
		want   int64
		faulty bool
	}{
		{"Name:\tfacet\nVmHWM:\t   20480 kB\nVmRSS:\t 100 kB\n", 20 << 20, false},
		{"VmRSS:\t 100 kB\n", 0, true},
		{"VmHWM:\t many kB\n", 0, true},
	}
	for _, c := range cases {
		got, err := parsePeak(c.text)
		if got != c.want || (err != nil) != c.faulty {
			t.Errorf("%q: got %d, %v; want %d, fault %v", c.text, got, err, c.want, c.faulty)
		}
	}
}
