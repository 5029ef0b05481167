package exposure

import (
	"encoding/json"
	"log/slog"
	"strconv"
)

// What follows is OTLP's LogsData as JSON, as far as it is needed: names in camelCase,
// ids in hexadecimal, 64-bit numbers as strings.
type (
	logsData struct {
		ResourceLogs []resourceLogs `json:"resourceLogs"`
	}
	resourceLogs struct {
		Resource  resource    `json:"resource"`
		ScopeLogs []scopeLogs `json:"scopeLogs"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeLogs struct {
		Scope      scope       `json:"scope"`
		LogRecords []logRecord `json:"logRecords"`
	}
	scope struct {
		Name string `json:"name"`
	}
	logRecord struct {
		Time       string     `json:"timeUnixNano"`
		Observed   string     `json:"observedTimeUnixNano"`
		Severity   int        `json:"severityNumber"`
		EventName  string     `json:"eventName"`
		Attributes []keyValue `json:"attributes"`
		TraceID    string     `json:"traceId"`
	}
	keyValue struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	anyValue struct {
		String *string `json:"stringValue,omitempty"`
		Bool   *bool   `json:"boolValue,omitempty"`
	}
)

const (
	scopeName    = "github.com/facet-gateway/facet/core/rollout/exposure"
	severityInfo = 9 // INFO of the log data model
)

// resourceOf says which program tells, and which replica of it.
func resourceOf(replica string) resource {
	all := []keyValue{pair(slog.String("service.name", providerName))}
	if replica != "" {
		all = append(all, pair(slog.String("service.instance.id", replica)))
	}
	return resource{all}
}

// otlp returns the event as a message.
func (e *Event) otlp(of resource) ([]byte, error) {
	at := strconv.FormatInt(e.At.UnixNano(), 10)
	record := logRecord{
		Time: at, Observed: at, Severity: severityInfo, EventName: eventName, TraceID: e.Trace.String(),
	}
	for _, a := range append(e.attributes(), slog.String("facet.request_id", e.Request)) {
		record.Attributes = append(record.Attributes, pair(a))
	}
	scoped := scopeLogs{scope{scopeName}, []logRecord{record}}
	return json.Marshal(logsData{[]resourceLogs{{of, []scopeLogs{scoped}}}}) //nolint:wrapcheck // it is counted
}

func pair(a slog.Attr) keyValue {
	if a.Value.Kind() == slog.KindBool {
		b := a.Value.Bool()
		return keyValue{a.Key, anyValue{Bool: &b}}
	}
	s := a.Value.String()
	return keyValue{a.Key, anyValue{String: &s}}
}
