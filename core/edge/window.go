package edge

import "time"

// window is what is known since the limits were last looked at.
type window struct {
	began   time.Time
	peak    int     // pages in progress at once
	refused [2]bool // somebody of a priority
	good    int     // whole pages in time
	proof   int     // those of them that began since the limits were last raised
	late    int     // whole, but over the target
	overdue int     // those of them that were so by far
	lost    int
	took    time.Duration // of all of these
	share   float64       // of their budgets that whole pages took, all together
}

func (w *window) whole() int { return w.good + w.late }
func (w *window) pages() int { return w.good + w.late + w.lost }

// mean is the share of its budget that a whole page took.
func (w *window) mean() float64 { return w.share / float64(max(w.whole(), 1)) }

// over reports whether a window says enough.
func (w *window) over(now time.Time) bool {
	age, pages := now.Sub(w.began), w.pages()
	switch {
	case pages == 0:
		return age >= longest
	case w.tooMany(w.lost): // nobody gains by waiting
		return true
	}
	return age >= max(shortest, min(longest, w.took/time.Duration(pages))) && (pages >= enough || age >= longest)
}

// tooMany reports whether some of the window's pages are more than are tolerated.
// A single page never is.
func (w *window) tooMany(some int) bool {
	return some >= 2 && float64(some) > tolerated*float64(w.pages())
}

// learn counts a page that took a share of its budget. One that began before the
// last cut is late because of what has been cut already.
func (l *Limiter) learn(v Verdict, began time.Time, took time.Duration, share float64) {
	target := l.target()
	late := v == Whole && share > target
	if late {
		l.counts.late++
	}
	if v == Lost {
		l.counts.lost++
	}
	if began.Before(l.cut) || v == Silent {
		return
	}
	w := &l.window
	w.took += took
	if v == Lost {
		w.lost++
		return
	}
	w.share += share
	switch {
	case late:
		w.late++
		if share > byFar*target {
			w.overdue++
		}
	default:
		w.good++
		if !began.Before(l.raised) {
			w.proof++
		}
	}
}

// target is the share of its budget after which a page is late: what is
// configured, or more where pages take that long in quiet times. Before anything
// is known of those, it is all of the budget.
func (l *Limiter) target() float64 {
	if l.base == 0 {
		return 1
	}
	return min(max(float64(l.options.Target)/100, patience*l.base), 1)
}

// adjust moves the limits at the end of a window.
func (l *Limiter) adjust(now time.Time) {
	quiet := now.Sub(l.pressed) >= calm
	l.rebase(quiet || l.ahead <= float64(l.options.Min))
	switch w := &l.window; {
	case w.tooMany(w.late+w.lost) && !l.futile():
		l.shrink(now)
	case w.proof > 0:
		l.grow(now)
		l.forget()
	case !quiet && w.good == 0: // silence is no proof: pages may fail fast because a circuit is open
		l.pressed = now
	}
	if now.Sub(l.pressed) >= calm {
		l.persons = float64(l.options.Max)
	}
	l.bound()
}

// rebase follows what pages take: quickly downward, slowly upward, and upward only
// where no limit can make them faster: in quiet times, or at the least of limits.
// A queue grows faster than this follows, unless it is one of a few percent.
func (l *Limiter) rebase(upward bool) {
	mean := l.window.mean()
	switch {
	case mean == 0:
	case l.base == 0:
		l.base = mean
	case mean < l.base:
		l.base += (mean - l.base) / 4
	case upward:
		l.base += (mean - l.base) / 64
	}
}

// futile reports whether cuts do not help: some in a row have halved what is in
// progress, nothing is lost, and pages are as late as before the first of them. A
// queue would be shorter. So that is what pages take from now on.
func (l *Limiter) futile() bool {
	w := &l.window
	if w.lost > 0 || l.cutsInRow == 0 {
		l.cutsInRow, l.firstPeak, l.firstMean = 0, w.peak, w.mean()
	}
	if l.cutsInRow++; l.cutsInRow <= cutsToHalf || 5*w.peak > 3*l.firstPeak || w.mean() < 0.85*l.firstMean {
		return false
	}
	l.cutsInRow, l.base, l.persons = 0, w.mean(), float64(l.options.Max)
	return true
}

// shrink cuts the limits to below what was in progress, and to half where most is
// lost. A person would rather have a late page than none: their limit is cut when
// pages are lost or overdue.
func (l *Limiter) shrink(now time.Time) {
	w, keep := &l.window, kept
	if 2*w.lost > w.pages() {
		keep = keptOfLost
	}
	l.ahead = keep * min(l.ahead, float64(w.peak))
	if w.tooMany(w.lost + w.overdue) {
		l.persons = keep * min(l.persons, float64(w.peak))
	}
	l.cut, l.pressed = now, now
	l.counts.cuts++
}

// grow raises the limits that stood in the way, or nearly.
func (l *Limiter) grow(now time.Time) {
	w, before, step := &l.window, l.ahead+l.persons, growth
	if l.cut.IsZero() {
		step = 2 * growth
	}
	if w.refused[Ahead] || float64(w.peak) >= l.ahead {
		l.ahead += max(1, step*l.ahead)
	}
	if w.refused[Person] || float64(w.peak) >= (1-growth)*l.persons {
		l.persons += max(1, step*l.persons)
	}
	if l.ahead+l.persons > before {
		l.raised, l.cutsInRow = now, 0
	}
}

// forget lowers what prefetches have earned and do not use, towards where they
// began: what a backend gave in an hour of its own is not owed in the next.
func (l *Limiter) forget() {
	if start := float64(startTimes * l.options.Min); float64(l.window.peak) < l.ahead/4 && l.ahead > start {
		l.ahead = max(start, (1-growth/10)*l.ahead)
	}
}

// bound keeps the limits in their range, and persons above prefetches.
func (l *Limiter) bound() {
	least, most, share := float64(l.options.Min), float64(l.options.Max), float64(l.options.Prefetch.Percent)/100
	l.ahead = min(max(l.ahead, least), most)
	l.persons = min(max(l.persons, l.ahead/share), most)
	l.ahead = max(least, min(l.ahead, share*l.persons))
}
