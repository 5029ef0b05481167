// Package guard says whether a candidate is worse than control.
//
// Each replica counts what the requests of both arms of a rollout come to ([Meter]),
// and tells the others ([Tally]). Whoever has all the tallies judges their sum
// ([Tally.Judge]). The package decides nothing else: it is arithmetic on counts,
// without a clock, a goroutine or a connection of its own.
//
// # What is tested
//
// That the candidate is worse than control by more than a limit of [rollout.Guard],
// against the hypothesis that it is not: for errors and degraded pages, that a share p
// of the candidate's requests is at most p of control's plus the limit; for p50 and
// p99, that at most 50 % (1 %) of the candidate's requests take longer than control's
// true quantile and the limit on top; for bytes, that the candidate's mean is at most
// control's and the limit on top. Panics are only counted: so many of the candidate,
// whatever control does, are too many.
//
// # Looking often
//
// Somebody looks every second, so each test is one that may be looked at after every
// request and stopped at will: its evidence is an e-process, a value that under the
// hypothesis ever exceeds 1/alpha with a chance of at most alpha (Ville 1939; Ramdas,
// Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid
// inference", Statistical Science 2023). It depends on the sums of the counts alone,
// not on the order of the requests nor on which replica had them.
//
// For shares it is Robbins' mixture (Annals of Mathematical Statistics 1970) over the
// likeliest way in which the hypothesis could be true, as in universal inference
// (Wasserman, Ramdas, Balakrishnan, PNAS 2020): the chance of both arms' counts with
// shares drawn from Jeffreys' prior, divided by the greatest chance that any pair of
// shares gives them of which the candidate's is within the limit. That holds for any
// number of requests, exactly. A quantile of control is not known but only seen, so
// every bucket of latency has to be refuted as its place: because too few of control's
// requests lie above it, because too many of the candidate's lie above it and the
// limit, or by both together. Latencies are known to a bucket, which is at most 1/16
// of its lower end wide. What that leaves open speaks for the candidate, so a limit of
// 25 % acts as one of up to 41 %, which is 1.25 × (17/16)² - 1. And little is known of
// control's p99 from few requests: it takes a thousand of control to say that its p99
// is below what none of them took.
//
// Of bytes only sums are known. Theirs is the normal mixture with the variance that
// was seen (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit
// theory and asymptotic confidence sequences", Annals of Statistics 2024), the one test
// here that holds for large numbers only. With the larger variance of the two arms for
// both, it held in simulation from 20 requests on, also for pages of which one in a
// hundred is twenty times as large as the others.
//
// # Windows
//
// A step is what happens while a rollout has one share and one status, from its Since
// on ([rollout.Rollout]); within it both arms see the same hours, and the same
// troubles of backends, in the same proportion. It is tested as a whole, which finds what is slightly worse and
// judges rollouts of little traffic, and in windows of [WindowLength], which find what
// becomes worse after days of health. The whole step has half of alpha; window k = 0,
// 1, 2, … has alpha/2 × 6/(π²(k+1)²), which add up to the other half. In each, all
// that is looked at has an equal part. So a step, however long and however often
// looked at, aborts a candidate that is within all limits with a chance of at most alpha.
//
// # What that is worth
//
// The chance holds for requests that are independent of each other. Those of one user
// are not: whose account is broken fails every time. Chance may put more of such users
// among the candidate's than the limit forgives, and their many requests then look like
// proof. In simulation, of users with twenty requests each of whom one in a hundred
// always fails, a candidate as good as control was aborted in 17 of 100 steps at
// errors 1 and min_samples 100, where alpha says one. An alpha of 0.0001 still left 13.
// With min_samples 1,000, which is fifty users, it was 6; and less than one with
// min_samples 5,000, or with 1,000 and errors 3. So min_samples is to be
// fifty users' requests at least, and a limit wider than how users differ.
//
// For independent requests the tests of shares and quantiles are stricter than they
// say: they have to stand against whatever control's true share is. Exactly
// calculated, at the very edge of a limit and looked at after each of fifty requests,
// errors aborted in at most 0.6 of 100 steps where alpha allowed 5. And chances may
// change within a step, if they do for both: an outage that hit both arms aborted none
// of 2,000 steps that were played.
//
// A replica that ends takes its counts with it, so that a sum can become smaller; and
// limits may change within a step. Each time is, strictly, one more test.
package guard
