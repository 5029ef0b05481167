// Package exposure tells who saw which version of what, so that an analyst can join
// it with what they did afterwards: once for each unit, rollout and version in a
// window of the clock, to the log and to NATS.
//
// An exposure is OpenTelemetry's event "feature_flag.evaluation", a release candidate
// (https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/).
// The flag is the rollout, its variant the version, its context the unit:
//
//	event.name                   "feature_flag.evaluation"
//	feature_flag.key             "phone/reviews-first"; the class alone of a forced request in no rollout
//	feature_flag.result.variant  "phone/v2", which is who answered
//	feature_flag.result.reason   "split", "targeting_match", "disabled" or "error"
//	feature_flag.context.id      the unit
//	feature_flag.version         the revision of the state that it was assigned by
//	feature_flag.provider.name   "facet"
//	error.type                   why another version than the assigned one answered, such as "panic"
//	facet.arm                    "control", "candidate", or "neither", which no comparison may count
//	facet.forced                 true of a tester's request; else it is not there
//
// In the log it is a line of that name with these attributes, request_id and trace_id.
// To NATS goes a message for each, in the JSON of OTLP
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): one record of
// one resource, which is what a collector's receiver of logs reads; there the
// request's id is the attribute facet.request_id.
//
// # What can be counted on
//
// Each replica tells a unit once in a window, all of them in the same windows: an
// analyst counts distinct units, and does not add up events. A replica remembers
// 262,144 exposures in 2 MiB. Up to 100,000 in a window, about one in 10,000 is
// forgotten; with more, more of them, and who is forgotten is told again with the
// unit's next request.
//
// Nobody waits for an exposure. What the queue has no room for, and what neither the
// log nor NATS took, is counted and not remembered: the unit's next request tries
// again. NATS gets each at most once: what was on its way when a connection broke may
// be lost uncounted, and so may what was kept while NATS was away, if the connection
// breaks again as it is sent.
//
// Who runs in the shadow of another saw nothing, and is not told.
//
// # Personal data
//
// A unit may be the id of a user. It is told as it is unless there is a key to hash
// it with (see [Options].HashKey): an event is of use only to who can join it with
// outcomes, and those have the id that the user has, while a hash without a key that
// the analyst shares would neither join nor protect, as ids can be guessed. Nothing
// is told unless somebody asks for it. A hashed unit is a pseudonym, and personal
// data still.
//
// # What it costs
//
// Some 90 ns and no memory for a unit that was told already, which is the way of
// nearly all requests; some 250 ns on the request's path when it is new, and some
// microseconds on a goroutine of the package's own. 4 MiB in all, and up to 16 MiB
// more while NATS is away.
package exposure
