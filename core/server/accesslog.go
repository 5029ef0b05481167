package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// log writes the one line of a request: what was asked, who answered, where its
// parts stood, and every cause that the client is not told.
func (x *exchange) log(took time.Duration) {
	level := levelOf(x.status)
	if !x.server.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 16)
	attrs = append(attrs,
		slog.String("request_id", x.report.RequestID),
		slog.String("trace_id", x.report.Trace.String()),
		slog.String("method", x.r.Method),
		slog.String("path", x.r.URL.Path),
		slog.Int("status", x.status),
		slog.Int("bytes", x.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
	)
	if x.version != nil {
		attrs = append(attrs,
			slog.String("device", string(x.device.Profile.Class)),
			slog.String("device_by", x.device.By.String()),
			slog.String("adapter", x.version.String()),
		)
	}
	if parts := x.report.PartsHeader(); parts != "" {
		attrs = append(attrs, slog.String("parts", parts), slog.Any("faults", x.faults()))
	}
	if x.fault != nil {
		attrs = append(attrs, slog.String("code", fault.CodeOf(x.fault).String()), slog.String("error", x.fault.Error()))
	}
	x.server.Log.LogAttrs(context.Background(), level, "request", attrs...)
}

// levelOf keeps what an operator looks for apart from the rest.
func levelOf(status int) slog.Level {
	switch {
	case status == fault.Internal.Status():
		return slog.LevelError
	case status > fault.Internal.Status():
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// faults returns what went wrong below the page: one text a call or a part.
func (x *exchange) faults() []string {
	var texts []string
	for _, c := range x.report.Calls() {
		if c.Err != nil {
			texts = append(texts, c.Command+": "+c.Outcome.String()+": "+c.Err.Error())
		}
	}
	for _, p := range x.report.Parts {
		if p.Err != nil && fault.ReasonOf(p.Err) == fault.ReasonPanic {
			texts = append(texts, p.Name+": "+p.Err.Error())
		}
	}
	return texts
}
