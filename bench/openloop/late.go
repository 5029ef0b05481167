package openloop

import "time"

// Lateness is how much later than asked this machine woke a goroutine: on one with
// other work no answer can be quicker.
type Lateness struct{ P99, Most time.Duration }

// WatchLateness measures it, some 200 times a second, until the function that it
// returns is called, once, which ends the measuring.
func WatchLateness() (end func() Lateness) {
	stop, ended := make(chan struct{}), make(chan Result)
	go func() {
		const each = 5 * time.Millisecond
		var r Result
		for {
			began := time.Now()
			select {
			case <-stop:
				ended <- r
				return
			case <-time.After(each):
				r.Answers = append(r.Answers, Answer{Took: time.Since(began) - each})
			}
		}
	}()
	return func() Lateness {
		close(stop)
		r := <-ended
		return Lateness{P99: r.Percentile(99, Any), Most: r.Percentile(100, Any)}
	}
}
