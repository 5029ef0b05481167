package telemetry_test

import (
	"context"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// TestShadowRunsAreApart: they have a metric of their own, once there are any.
func TestShadowRunsAreApart(t *testing.T) {
	c := newCommand("test.shadowed")
	o := shop
	o.Controls = []*command.Control{c.Control}
	on := newTelemetry(t, o)
	ask(t, c, good)
	for name := range ours(scrape(t, on)) {
		if strings.Contains(name, "shadow_runs") {
			t.Errorf("%s before there were any", name)
		}
	}
	r := report.New("", report.Trace{})
	r.Shadow = true
	ctx, scope := stream.Open(context.Background(), r)
	defer scope.Close()
	parts := []stream.Part[struct{}]{
		stream.Optional("good", c.Observe(good), func(*struct{}, int) {}),
		stream.Optional("failing", c.Observe(failing), func(*struct{}, int) {}),
	}
	if _, err := stream.Assemble(parts...).Run(ctx); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, on), map[string]float64{
		`facet_command_shadow_runs_total{command="test.shadowed",outcome="success",service="test"}`:  1,
		`facet_command_shadow_runs_total{command="test.shadowed",outcome="failure",service="test"}`:  1,
		`facet_command_shadow_runs_total{command="test.shadowed",outcome="rejected",service="test"}`: 0,
		`facet_command_runs_total{command="test.shadowed",outcome="success",service="test"}`:         1,
		`facet_command_runs_total{command="test.shadowed",outcome="failure",service="test"}`:         0,
		`facet_command_answers_total{command="test.shadowed",rung="live",service="test"}`:            1,
	})
}
