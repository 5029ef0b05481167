package server

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// log writes the one line of a request: what was asked, who answered, where its
// parts stood, and every cause that the client is not told.
func (x *exchange) log(took time.Duration) {
	level := x.level()
	if !x.server.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
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
	if x.name != "" {
		attrs = append(attrs, slog.String("page", x.name))
	}
	if f := x.following; f != nil {
		attrs = append(attrs, slog.String("transport", f.transport), slog.Int("events", f.events), slog.String("ended", string(f.ending)))
	}
	parts := x.report.PartsHeader()
	if parts != "" {
		attrs = append(attrs, slog.String("parts", parts))
	}
	if x.failed != nil {
		attrs = append(attrs, slog.String("instead_of", x.failed.String()), slog.String("because", story(x.because)))
	}
	if parts != "" || x.failed != nil {
		if faults := x.faults(); len(faults) > 0 {
			attrs = append(attrs, slog.Any("faults", faults))
		}
	}
	if x.runaways > 0 {
		attrs = append(attrs, slog.Int("runaways", x.runaways))
	}
	if x.fault != nil {
		attrs = append(attrs, slog.String("code", fault.CodeOf(x.fault).String()), slog.String("error", story(x.fault)))
		if reason := fault.ReasonOf(x.fault); reason == fault.ReasonOverload { // of others the parts tell
			attrs = append(attrs, slog.String("reason", reason.String()))
		}
	}
	// A record of our own, because a Logger looks up its caller for each.
	record := slog.NewRecord(time.Now(), level, "request", 0)
	record.AddAttrs(attrs...)
	_ = x.server.Log.Handler().Handle(context.Background(), record) // as a Logger does: there is nobody to tell
}

// level keeps what an operator looks for apart from the rest.
func (x *exchange) level() slog.Level {
	switch {
	case x.status == fault.Internal.Status() || x.runaways > 0:
		return slog.LevelError
	case x.status > fault.Internal.Status() || x.failed != nil:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// faults returns what went wrong below the page: one text a call or a part.
// A runaway may still write to its call's record, so then it tells of parts only.
func (x *exchange) faults() []string {
	var texts []string
	for _, c := range x.calls() {
		if c.Err != nil {
			texts = append(texts, c.Command+": "+c.Outcome.String()+": "+story(c.Err))
		}
	}
	for _, p := range x.report.Parts {
		if p.Err != nil && fault.ReasonOf(p.Err) == fault.ReasonPanic {
			texts = append(texts, p.Name+": "+story(p.Err))
		}
	}
	return texts
}

func (x *exchange) calls() []*report.Call {
	if x.runaways > 0 {
		return nil
	}
	return x.report.Calls()
}

// story returns what an error tells beside the names of its code and reason,
// which stand next to it in the line; all of it, if that is nothing.
func story(err error) string {
	f, ok := err.(*fault.Error) //nolint:errorlint // words that wrap a fault are part of the story
	if !ok {
		return err.Error()
	}
	var told []string
	for _, text := range []string{f.Field, f.Detail} {
		if text != "" {
			told = append(told, text)
		}
	}
	if f.Cause != nil {
		told = append(told, story(f.Cause))
	}
	if len(told) == 0 {
		return f.Error()
	}
	return strings.Join(told, ": ")
}
