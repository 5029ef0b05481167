package main

import "time"

// within polls until holds does, and reports how long that took.
func within(limit time.Duration, holds func() bool) (time.Duration, bool) {
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(began) > limit {
			return limit, false
		}
		<-tick.C
	}
	return time.Since(began), true
}
