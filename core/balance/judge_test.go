package balance_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	late, end := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer end()
	left, leave := context.WithCancel(t.Context())
	leave()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		had  time.Duration
		want balance.Outcome
	}{
		"an answer":              {t.Context(), nil, 0, balance.Success},
		"an answer at the end":   {late, nil, time.Second, balance.Success},
		"what there is not":      {t.Context(), fault.New(fault.NotFound, "no"), 0, balance.Success},
		"what it refuses":        {t.Context(), fmt.Errorf("%w: status 422", fault.ErrRefused), 0, balance.Success},
		"a fault":                {t.Context(), broken, 0, balance.Fault},
		"too slow":               {late, fault.Ended(late, "cart"), balance.Patience, balance.Fault},
		"whoever asked hurried":  {late, fault.Ended(late, "cart"), balance.Patience - 1, balance.Silent},
		"whoever asked has gone": {left, fault.Ended(left, "cart"), time.Second, balance.Silent},
	} {
		if got := balance.Judge(c.ctx, c.err, c.had); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
