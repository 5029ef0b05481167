package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
)

var codeTable = []struct {
	code   fault.Code
	name   string
	status int
}{
	{fault.Invalid, "invalid", http.StatusBadRequest},
	{fault.Unauthenticated, "unauthenticated", http.StatusUnauthorized},
	{fault.Forbidden, "forbidden", http.StatusForbidden},
	{fault.NotFound, "not_found", http.StatusNotFound},
	{fault.MethodNotAllowed, "method_not_allowed", http.StatusMethodNotAllowed},
	{fault.Conflict, "conflict", http.StatusPreconditionFailed},
	{fault.PreconditionNeeded, "precondition_required", http.StatusPreconditionRequired},
	{fault.TooLarge, "too_large", http.StatusRequestEntityTooLarge},
	{fault.HeaderTooLarge, "header_too_large", http.StatusRequestHeaderFieldsTooLarge},
	{fault.Limited, "limited", http.StatusTooManyRequests},
	{fault.Canceled, "canceled", 499},
	{fault.Internal, "internal", http.StatusInternalServerError},
	{fault.BadAnswer, "bad_answer", http.StatusBadGateway},
	{fault.Unavailable, "unavailable", http.StatusServiceUnavailable},
	{fault.Timeout, "timeout", http.StatusGatewayTimeout},
}

func TestCodes(t *testing.T) {
	all := fault.Codes()
	if len(all) != len(codeTable) {
		t.Fatalf("%d codes, the table has %d", len(all), len(codeTable))
	}
	names, titles := map[string]bool{"ok": true}, map[string]bool{}
	for i, row := range codeTable {
		if all[i] != row.code || row.code.String() != row.name || row.code.Status() != row.status {
			t.Errorf("%d: got %v %d, want %s %d", i, all[i], row.code.Status(), row.name, row.status)
		}
		if title := row.code.Title(); title == "" || titles[title] {
			t.Errorf("%s: title %q is empty or used twice", row.name, title)
		}
		if names[row.name] {
			t.Errorf("two codes are called %s", row.name)
		}
		names[row.name], titles[row.code.Title()] = true, true
	}
	if fault.OK.String() != "ok" || fault.OK.Status() != http.StatusOK {
		t.Errorf("the zero code is %v %d", fault.OK, fault.OK.Status())
	}
	if unknown := fault.Code(200); unknown.Status() != 500 || unknown.String() != "internal" {
		t.Errorf("an unknown code is %v %d", unknown, unknown.Status())
	}
}

var reasonTable = []struct {
	reason fault.Reason
	name   string
	code   fault.Code
}{
	{fault.ReasonTimeout, "timeout", fault.Timeout},
	{fault.ReasonError, "error", fault.Unavailable},
	{fault.ReasonOpen, "open", fault.Unavailable},
	{fault.ReasonFull, "full", fault.Unavailable},
	{fault.ReasonBudget, "budget", fault.Timeout},
	{fault.ReasonDependency, "dependency", fault.Unavailable},
	{fault.ReasonInvalid, "invalid", fault.BadAnswer},
	{fault.ReasonNotFound, "not_found", fault.NotFound},
	{fault.ReasonAnonymous, "anonymous", fault.Unauthenticated},
	{fault.ReasonPanic, "panic", fault.Internal},
	{fault.ReasonCanceled, "canceled", fault.Canceled},
	{fault.ReasonOverload, "overload", fault.Unavailable},
}

func TestReasons(t *testing.T) {
	all := fault.Reasons()
	if len(all) != len(reasonTable) {
		t.Fatalf("%d reasons, the table has %d", len(all), len(reasonTable))
	}
	token := regexp.MustCompile(`^[a-z][a-z_]*$`)
	seen := map[string]bool{"none": true}
	for i, row := range reasonTable {
		if all[i] != row.reason || row.reason.String() != row.name || row.reason.Code() != row.code {
			t.Errorf("%d: got %v %v, want %s %v", i, all[i], row.reason.Code(), row.name, row.code)
		}
		if seen[row.name] || !token.MatchString(row.name) {
			t.Errorf("%s is used twice or is no token", row.name)
		}
		seen[row.name] = true
		made := fault.Because(row.reason, nil)
		if fault.ReasonOf(made) != row.reason || fault.CodeOf(made) != row.code {
			t.Errorf("%s: Because gives %v %v", row.name, fault.ReasonOf(made), fault.CodeOf(made))
		}
	}
	if none := fault.None; none.String() != "none" || none.Code() != fault.Internal {
		t.Errorf("the zero reason is %v %v", none, none.Code())
	}
	if unknown := fault.Reason(200); unknown.String() != "error" || unknown.Code() != fault.Internal {
		t.Errorf("an unknown reason is %v %v", unknown, unknown.Code())
	}
}

func TestOf(t *testing.T) {
	plain := errors.New("plain")
	canceled, cancel := context.WithCancelCause(context.Background())
	cancel(fault.Because(fault.ReasonBudget, context.DeadlineExceeded))
	for name, row := range map[string]struct {
		err    error
		code   fault.Code
		reason fault.Reason
	}{
		"nil":              {nil, fault.OK, fault.None},
		"plain":            {plain, fault.Internal, fault.ReasonError},
		"canceled":         {context.Canceled, fault.Canceled, fault.ReasonCanceled},
		"wrapped canceled": {fmt.Errorf("x: %w", context.Canceled), fault.Canceled, fault.ReasonCanceled},
		"deadline":         {fmt.Errorf("x: %w", context.DeadlineExceeded), fault.Timeout, fault.ReasonTimeout},
		"cause":            {context.Cause(canceled), fault.Timeout, fault.ReasonBudget},
		"new":              {fault.New(fault.NotFound, "no"), fault.NotFound, fault.ReasonNotFound},
		"unauthenticated":  {fault.New(fault.Unauthenticated, ""), fault.Unauthenticated, fault.ReasonAnonymous},
		"bad answer":       {fault.New(fault.BadAnswer, ""), fault.BadAnswer, fault.ReasonInvalid},
		"timeout":          {fault.New(fault.Timeout, ""), fault.Timeout, fault.ReasonTimeout},
		"canceled code":    {fault.New(fault.Canceled, ""), fault.Canceled, fault.ReasonCanceled},
		"limited":          {fault.New(fault.Limited, ""), fault.Limited, fault.ReasonError},
		"field":            {fault.InvalidField("id", "bad"), fault.Invalid, fault.ReasonInvalid},
		"wrapped":          {fmt.Errorf("x: %w", fault.Because(fault.ReasonOpen, plain)), fault.Unavailable, fault.ReasonOpen},
		"joined": {
			errors.Join(plain, context.Canceled, fault.Because(fault.ReasonFull, nil)), fault.Unavailable, fault.ReasonFull,
		},
		"joined twice": {
			errors.Join(fault.New(fault.NotFound, ""), fault.New(fault.Timeout, "")), fault.NotFound, fault.ReasonNotFound,
		},
		"outermost": {
			&fault.Error{Code: fault.NotFound, Reason: fault.ReasonDependency, Cause: fault.New(fault.Timeout, "")},
			fault.NotFound, fault.ReasonDependency,
		},
		"context inside": {
			&fault.Error{Code: fault.BadAnswer, Cause: context.Canceled}, fault.BadAnswer, fault.ReasonInvalid,
		},
		"no code":     {&fault.Error{Detail: "x"}, fault.Internal, fault.ReasonError},
		"only reason": {&fault.Error{Reason: fault.ReasonOpen}, fault.Unavailable, fault.ReasonOpen},
	} {
		if code, reason := fault.CodeOf(row.err), fault.ReasonOf(row.err); code != row.code || reason != row.reason {
			t.Errorf("%s: got %v %v, want %v %v", name, code, reason, row.code, row.reason)
		}
	}
}

func TestErrorTellsAllOfIt(t *testing.T) {
	cause := errors.New("dial refused")
	err := &fault.Error{Code: fault.Unavailable, Reason: fault.ReasonOpen, Field: "f", Detail: "d", Cause: cause}
	if got := err.Error(); got != "unavailable (open): f: d: dial refused" {
		t.Errorf("got %q", got)
	}
	if got := fault.Because(fault.ReasonTimeout, nil).Error(); strings.Contains(got, "(") {
		t.Errorf("%q says timeout twice", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
