package report

import (
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// PartsHeader returns the value of `Facet-Parts`: an RFC 9651 dictionary that
// names every part that is not live or not whole, with its age in whole seconds,
// the number of its holes, and the reason. It is empty when all parts are live.
func (r *Report) PartsHeader() string {
	var b []byte
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Mark.Rung == Live && p.Holes.Count == 0 {
			continue
		}
		if b == nil {
			b = make([]byte, 0, 128)
		} else {
			b = append(b, ", "...)
		}
		b = appendPart(b, p)
	}
	return string(b)
}

func appendPart(b []byte, p *Part) []byte {
	b = append(b, p.Name...)
	b = append(b, '=')
	b = append(b, p.Mark.Rung.String()...)
	if p.Mark.Rung == Cached || p.Mark.Rung == Stale {
		b = append(b, ";age="...)
		b = strconv.AppendInt(b, int64(p.Mark.Age/time.Second), 10)
	}
	if p.Holes.Count > 0 {
		b = append(b, ";holes="...)
		b = strconv.AppendInt(b, int64(p.Holes.Count), 10)
	}
	if reason := p.Reason(); reason != fault.None {
		b = append(b, ";reason="...)
		b = append(b, reason.String()...)
	}
	return b
}

// Reason returns why a part is not live, else why it has holes.
func (p *Part) Reason() fault.Reason {
	if p.Mark.Reason != fault.None {
		return p.Mark.Reason
	}
	return p.Holes.Reason
}

// ServerTiming returns the value of `Server-Timing`
// (https://www.w3.org/TR/server-timing/): the milliseconds until each part was
// ready, and as `page-total`, which no part can be called, of the whole page so
// far.
func (r *Report) ServerTiming() string {
	b := make([]byte, 0, 32*(len(r.Parts)+1))
	for i := range r.Parts {
		b = append(b, r.Parts[i].Name...)
		b = appendMillis(b, r.Parts[i].Took)
		b = append(b, ", "...)
	}
	b = append(b, "page-total"...)
	return string(appendMillis(b, time.Since(r.Began)))
}

func appendMillis(b []byte, d time.Duration) []byte {
	b = append(b, ";dur="...)
	return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', -1, 64)
}
