package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs
// on. The kernel scales both counters to the scheduler's exact sum, so the error over a
// run of seconds is one tick.
const tick = 10 * time.Millisecond

// CPU returns what the kernel has charged to the process up to now, threads that have
// ended included. Its error over a run of seconds is 10 ms.
func (p *Process) CPU() (time.Duration, error) { return cpuTime(p.PID()) }

func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("accounting: %w", err)
	}
	return parseStat(text)
}

// parseStat reads utime and stime, the 14th and 15th field. The second field is the
// program's name in parentheses, which may itself hold spaces and parentheses.
func parseStat(text []byte) (time.Duration, error) {
	const utime, stime = 11, 12 // after the name
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	if end < 0 || len(fields) <= stime {
		return 0, errors.New("accounting: /proc/PID/stat is not as proc(5) says")
	}
	var ticks int64
	for _, field := range []string{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("accounting: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// Peak returns the most memory that the process has had resident, in bytes.
func (p *Process) Peak() (int64, error) { return peakMemory(p.PID()) }

func peakMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("accounting: %w", err)
	}
	return parsePeak(string(text))
}

func parsePeak(text string) (int64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("accounting: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("accounting: /proc/PID/status has no VmHWM")
}
