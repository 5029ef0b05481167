package admin

import (
	"net/http"
	"net/http/pprof" // it also registers on the default mux, which nothing here serves
	runtime "runtime/pprof"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
)

// longestProfile bounds what one request can hold, in seconds.
const longestProfile = 300

// profile answers below /debug/pprof/. A profile that is being taken ends when
// its client leaves or the port closes.
func profile(c echo.Context) error {
	handler := profiler(c.Param("*"))
	if handler == nil {
		return fault.New(fault.NotFound, "there is no such profile; /debug/pprof/ lists them")
	}
	if text := c.QueryParam("seconds"); text != "" {
		if n, err := strconv.ParseFloat(text, 64); err != nil || !(n >= 0 && n <= longestProfile) { // NaN is refused too
			return fault.InvalidField("seconds", "must be a number from 0 to "+strconv.Itoa(longestProfile))
		}
	}
	forbidCaching(c)
	handler.ServeHTTP(c.Response(), c.Request())
	return nil
}

// profiler returns the handler of a profile, nil if there is none of this name.
func profiler(name string) http.Handler {
	switch name {
	case "":
		return http.HandlerFunc(pprof.Index)
	case "cmdline":
		return http.HandlerFunc(pprof.Cmdline)
	case "profile":
		return http.HandlerFunc(pprof.Profile)
	case "symbol":
		return http.HandlerFunc(pprof.Symbol)
	case "trace":
		return http.HandlerFunc(pprof.Trace)
	}
	if runtime.Lookup(name) == nil {
		return nil
	}
	return pprof.Handler(name)
}
