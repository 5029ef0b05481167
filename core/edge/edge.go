// Package edge is who may come in, and how much: admission of pages by a limit
// that follows what pages take, with two priorities, what a person waits for and
// what an app prefetches.
//
// The measure is a page's own budget. A whole page is late that took more than
// the target share of its budget, or than 1.25 times what pages take in quiet
// times, if that is more; a page is lost that failed because a call which it needs
// had no time or no room left. When over a tenth of the pages of a window are late
// or lost, the limit of prefetches is cut to four fifths of what was in progress;
// that of persons only when as many are lost, or are late by half the target
// again: a late page is better than none. Where most are lost, it is a half. While
// pages come whole and in time, and a limit is what stands in the way, it grows by
// a tenth. A window is as long as a page takes, 100 ms at least. When cuts have
// halved what is in progress, and pages are as late as ever, then it is not
// because of how many they are, and that is what they take from now on.
//
// It is the rule of TCP (Chiu and Jain, 1989) with a growth in proportion, as in
// the AIMDLimit of Netflix' concurrency-limits, with CoDel's tolerable delay (RFC
// 8289) in place of a gradient between two averages: a page that is slower than
// before, but early still, harms nobody.
//
// Only a whole page teaches upward: the 503 of an open circuit is fast, and says
// nothing about room. A page that lost an optional part teaches nothing: a hung
// service degrades every page until its circuit opens, and to refuse pages would
// not mend it. Nor does a client that leaves, a 400 or a 404.
//
// Persons and prefetches start apart. Persons may fill the maximum until pages are
// late, so that a healthy gateway refuses nobody. Prefetches come in only while few
// pages are in progress, and have to earn more: a flood is inside before any
// latency can be measured, the circuits open on its timeouts, and persons lose
// their pages with it. When pages are late, prefetches have at most their share of
// the persons' limit, so it is they who are refused first.
//
// There is no queue. A person who waits before a limit that is full, because pages
// are late, would only be late too, and a refusal takes a microsecond.
//
// failsafe-go's adaptivelimiter was measured beside this, both with a share of
// half for prefetches, on the model of model_test.go: 200 pages/s of capacity,
// 1,920 prefetches/s and 80 persons/s for 60 s, calls of 20, 50 and 100 ms. Here
// 100 % of the persons were served, and 197 to 201 whole pages/s; there 99.98 to
// 100 % and 147 to 200, or with bounds and windows as here 83 to 99 % and 168 to
// 200. What decided is a healthy gateway whose load grows from 500 to 20,000 pages
// a second: nothing is refused here and 73 to 86 % there, because that limit climbs
// by one or two a window from where it was. It also has no word for a page that was
// lost, cannot be changed while pages are in progress, needs a queue for its
// priorities, and takes 329 ns and an allocation a page; this takes 157, and none.
//
// What it cannot do: a backend whose calls take half of their time limit when idle
// leaves too little between early and lost; there a flood opens circuits now and
// then. Where persons alone are the flood, the first moment of it comes in. And
// Min has to fit in what the smallest backend makes within a call's time limit.
package edge
