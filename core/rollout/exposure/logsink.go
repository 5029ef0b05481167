package exposure

import (
	"context"
	"log/slog"
)

// logSink tells a log, of which it needs the handler only: a Logger looks up its
// caller for each line.
type logSink struct{ slog.Handler }

func (s logSink) tell(e *Event) error {
	ctx := context.Background()
	if !s.Enabled(ctx, slog.LevelInfo) {
		return nil
	}
	line := slog.NewRecord(e.At, slog.LevelInfo, eventName, 0)
	line.AddAttrs(slog.String("event.name", eventName))
	line.AddAttrs(e.attributes()...)
	line.AddAttrs(slog.String("request_id", e.Request), slog.String("trace_id", e.Trace.String()))
	return s.Handle(ctx, line) //nolint:wrapcheck // it is counted, not told
}

func (logSink) close(context.Context) error { return nil }
