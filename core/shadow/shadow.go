// Package shadow has a candidate answer requests that control has answered, and
// compares the two answers. Nobody gets the candidate's, and nobody waits for it:
// its jobs run off the response path, a few at once, and what has no room is dropped
// and counted. Jobs are not retried; the next request is as good.
//
// Two pages are compared by meaning ([Compare]): numbers by value, objects whatever
// the order of their members, without what a rule ignores. What differs is counted
// by its place in the page, and the last examples can be read by a person.
//
// The candidate sees the backend as control did: its scope is opened after control's
// ([stream.OpenAfter]), so that it asks only for what control did not, with tickets
// that no live call uses (core/command). When such a call is not made, the page says
// nothing of the candidate, and is not compared.
//
// An endless loop cannot be stopped in Go. It is noticed, its place is given up, and
// after a few of them the [Runner] runs no more jobs of that candidate.
package shadow
