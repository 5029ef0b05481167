package config

import (
	"errors"

	"github.com/facet-gateway/facet/core/edge"
)

func decodeAdmission(v value, o *edge.Options) {
	t := trial{}
	v.fields(
		try(t, "enabled", &o.Enabled, boolean),
		try(t, "min", &o.Min, count),
		try(t, "max", &o.Max, count),
		try(t, "target_percent", &o.Target, count),
		field{"prefetch", func(v value) {
			v.fields(
				try(t, "prefetch.percent", &o.Prefetch.Percent, count),
				try(t, "prefetch.urgency", &o.Prefetch.Urgency, count),
				try(t, "prefetch.header", &o.Prefetch.Header, headerLine),
			)
		}},
	)
	t.settle(v, func() (key, problem string) { return admissionProblem(*o) })
}

func headerLine(v value) (string, bool) { return scalar(v, `"X-Prefetch: 1"`) }

func admissionProblem(o edge.Options) (key, problem string) {
	err := o.Validate()
	if err == nil {
		return "", ""
	}
	out := (*edge.RangeError)(nil)
	switch {
	case !errors.As(err, &out):
		return "admission", err.Error()
	case out.Field == "prefetch.header":
		return out.Field, "is no line of a header; allowed: " + out.Allowed
	}
	return out.Field, "is out of range; allowed: " + out.Allowed
}
