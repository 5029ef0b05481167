package telemetry

import "time"

// CutAfter sets after how long a reader is cut off that does not read.
func (t *Telemetry) CutAfter(d time.Duration) { t.stream.writeTimeout = d }

// Reading returns how many readers the stream has.
func (t *Telemetry) Reading() int { return len(t.stream.readers) }

// Readings returns how often the commands were read for the stream.
func (t *Telemetry) Readings() int {
	t.stream.mu.Lock()
	defer t.stream.mu.Unlock()
	return t.stream.readings
}

// ReaderLimit is how many readers the stream takes.
const ReaderLimit = readerLimit

// Round reads all commands, as for one round of events.
func (t *Telemetry) Round(now time.Time) []byte { return t.stream.read(now) }
