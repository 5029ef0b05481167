package openapi

import (
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
)

// newLiveOperation describes what keeps coming at a path. OpenAPI has no form for it: the
// schema is that of an event's data.
func newLiveOperation(v *adapter.Version, e adapter.Endpoint, o Options, event *schema) operation {
	op := operation{
		ID:      strings.ReplaceAll(e.Name(), "/", "_"),
		Summary: "What keeps coming at " + e.Name(),
		Description: "What " + v.String() + " tells of " + e.Event() + ", now and whenever it changes: as server-sent events, or over " +
			"WebSocket if the request is its handshake.",
		Responses: liveResponses(e, event),
	}
	for _, p := range e.Parameters {
		op.Parameters = append(op.Parameters, newParameter(p))
	}
	class := text()
	class.Enum = []string{string(o.Class)}
	op.Parameters = append(op.Parameters,
		parameter{
			Name: "device", In: "query", Schema: class,
			Description: "The class of the device, for browsers that cannot set a header; it must not contradict that.",
		},
		parameter{Name: "after", In: "query", Schema: text(), Description: "The id of the event that the client had last."},
		parameter{Name: "Last-Event-ID", In: "header", Schema: text(), Description: "The same; it counts before the query."},
	)
	for _, name := range []string{deviceParameter, userParameter} {
		op.Parameters = append(op.Parameters, parameter{Ref: parametersAt + name})
	}
	return op
}

func liveResponses(e adapter.Endpoint, event *schema) map[string]response {
	all := map[string]response{
		"101": {
			Description: "The connection is WebSocket's from now on. Each message is an object: data is as of the events, " +
				"id and event are their id and type.",
			Headers: sharing("Facet-Adapter", "Vary", "X-Request-Id"),
		},
		"200": {
			Description: "Events. Those of the type " + e.Event() + " have such data; gap says that some were missed, and bye that there are " +
				"no more.",
			Content: map[string]media{eventType: {event}},
			Headers: sharing("Facet-Adapter", "Cache-Control", "Vary", "X-Request-Id"),
		},
	}
	for _, code := range liveAnswered() {
		all[status(code)] = response{Ref: responsesAt + code.String()}
	}
	return all
}
