package cache

import "sync/atomic"

// Stats is what a [Shared] has counted since it was made, and how it is now.
type Stats struct {
	Connected     bool   `json:"connected"`     // the store has told its time, and tells of invalidations if it can
	Open          bool   `json:"open"`          // look-ups are skipped, because several in a row have failed
	Hits          uint64 `json:"hits"`          // entries found
	Misses        uint64 `json:"misses"`        // keys without an entry, asked for successfully
	Faults        uint64 `json:"faults"`        // look-ups, claims and invalidations that failed or took too long
	Skipped       uint64 `json:"skipped"`       // look-ups and claims not made: open, not connected, or as many as allowed in flight
	Rubbish       uint64 `json:"rubbish"`       // values that were no entry of their key, and were dropped
	Written       uint64 `json:"written"`       // changes that the store has made, or refused because they were outdated
	WriteFaults   uint64 `json:"write_faults"`  // changes that it has not made
	Dropped       uint64 `json:"dropped"`       // changes not sent: the queue full, the entry too large or not to be encoded, the store gone
	Outdated      uint64 `json:"outdated"`      // answers not used or sent, because they were invalidated on their way
	Invalidations uint64 `json:"invalidations"` // heard or made, each counted once
	Missed        uint64 `json:"missed"`        // times that some may have been missed
	Queued        int    `json:"queued"`        // changes that wait to be sent, or are being sent
	InFlight      int    `json:"in_flight"`     // look-ups that the store has not ended yet
}

type counters struct {
	hits, misses, faults, skipped, rubbish, written, writeFaults, dropped, outdated, invalidations, missed atomic.Uint64
}

// Stats returns the counts; each is right, together they may be of slightly
// different moments.
func (s *Shared) Stats() Stats {
	c := &s.counters
	return Stats{
		Connected: s.connected.Load(), Open: s.reads.open(),
		Hits: c.hits.Load(), Misses: c.misses.Load(), Faults: c.faults.Load(), Skipped: c.skipped.Load(), Rubbish: c.rubbish.Load(),
		Written: c.written.Load(), WriteFaults: c.writeFaults.Load(), Dropped: c.dropped.Load(), Outdated: c.outdated.Load(),
		Invalidations: c.invalidations.Load(), Missed: c.missed.Load(),
		Queued: int(s.waiting.Load()), InFlight: len(s.tickets),
	}
}
