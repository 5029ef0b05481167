package config

import (
	"log/slog"
	"time"
)

func defaultServer() Server {
	return Server{
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		MaxHeaderLines:    100,
		DrainDelay:        time.Second,
		ShutdownTimeout:   10 * time.Second,
		GzipMin:           1400,
	}
}

func (s *Server) decode(v value) {
	wait := within(duration, time.Millisecond, 10*time.Minute)
	v.fields(
		set("read_header_timeout", &s.ReadHeaderTimeout, wait),
		set("read_timeout", &s.ReadTimeout, wait),
		set("write_timeout", &s.WriteTimeout, wait),
		set("idle_timeout", &s.IdleTimeout, within(duration, time.Millisecond, time.Hour)),
		set("max_header_bytes", &s.MaxHeaderBytes, within(size, 1<<10, 1<<20)),
		set("max_header_lines", &s.MaxHeaderLines, within(count, 10, 1000)),
		set("drain_delay", &s.DrainDelay, within(duration, 0, 5*time.Minute)),
		set("shutdown_timeout", &s.ShutdownTimeout, wait),
		set("gzip_min", &s.GzipMin, within(size, 1, 1<<30)),
	)
}

func (a *Auth) decode(v value) {
	v.fields(set("mode", &a.Mode, authMode))
}

func authMode(v value) (string, bool) {
	if text, ok := scalar(v, "none"); ok && (text == "jwt" || text == "introspect") {
		v.fail("%q comes with the edge and is not there yet; allowed: header, none", text)
		return "", false
	}
	return oneOf("none", "header")(v)
}

func (l *Log) decode(v value) {
	v.fields(
		set("level", &l.Level, logLevel),
		set("format", &l.Format, oneOf("json", "text")),
		set("requests", &l.Requests, boolean),
	)
}

func logLevel(v value) (slog.Level, bool) {
	text, ok := oneOf("info", "debug", "warn", "error")(v)
	if !ok {
		return 0, false
	}
	var level slog.Level
	err := level.UnmarshalText([]byte(text))
	return level, err == nil
}

func (c *CORS) decode(v value) {
	v.fields(
		set("origins", &c.Origins, origins),
		set("max_age", &c.MaxAge, within(duration, 0, 24*time.Hour)),
	)
}
