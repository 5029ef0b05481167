package openapi

import (
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
)

// The names of the parameters that every page has.
const (
	deviceParameter = "Device"
	userParameter   = "User"
	knownParameter  = "IfNoneMatch"
)

func newOperation(v *adapter.Version, e adapter.Endpoint, page *schema) operation {
	o := operation{
		ID:          strings.ReplaceAll(e.Name(), "/", "_"),
		Summary:     "The page " + e.Name(),
		Description: "The page " + e.Name() + " as " + v.String() + " makes it.",
		Responses:   responses(page),
	}
	for _, p := range e.Parameters {
		o.Parameters = append(o.Parameters, newParameter(p))
	}
	for _, name := range []string{deviceParameter, userParameter, knownParameter} {
		o.Parameters = append(o.Parameters, parameter{Ref: parametersAt + name})
	}
	return o
}

func newParameter(p adapter.Parameter) parameter {
	described := text()
	described.Pattern = p.Pattern
	return parameter{Name: p.Name, In: "query", Description: "must be " + p.Must, Required: p.Required, Schema: described}
}

// newSharedParameters are the header fields that every page may be asked with.
func newSharedParameters(o Options) map[string]parameter {
	class := text()
	class.Enum = []string{string(o.Class)}
	return map[string]parameter{
		deviceParameter: {
			Name: o.Header, In: "header", Schema: class,
			Description: "The class of the device. Without it, client hints decide, then the User-Agent, then the configured default.",
		},
		userParameter: {Name: "X-User-Id", In: "header", Schema: text(), Description: "Who asks; believed only where the gateway is told to."},
		knownParameter: {
			Name: "If-None-Match", In: "header", Schema: text(), Description: "The ETag of the page that the client has.",
		},
	}
}

// newHeaders are the fields of the answers' headers that more than one has.
func newHeaders(v *adapter.Version) map[string]header {
	version := text()
	version.Enum = []string{v.String()}
	described := map[string]header{
		"Facet-Adapter": {Description: "Which adapter made the page.", Schema: version, Required: true},
		"Facet-Parts":   {Description: "Each part of the page that is not live and whole (a dictionary of RFC 9651); absent if all are."},
		"ETag":          {Description: "The page's validator, for If-None-Match.", Required: true},
		"Cache-Control": {Description: "Whether the answer may be kept.", Required: true},
		"Vary":          {Description: "What in the request's header can change the answer.", Required: true},
		"X-Request-Id":  {Description: "The request's name in the log.", Required: true},
		"Retry-After":   {Description: "In how many seconds it makes sense to ask again.", Required: true},
		"Allow":         {Description: "The methods that the path knows.", Required: true},
	}
	for name, h := range described {
		if h.Schema == nil {
			h.Schema = text()
			described[name] = h
		}
	}
	return described
}

// sharing refers to headers by their names.
func sharing(names ...string) map[string]header {
	refs := make(map[string]header, len(names))
	for _, name := range names {
		refs[name] = header{Ref: headersAt + name}
	}
	return refs
}

// responses are what a page can be answered with.
func responses(page *schema) map[string]response {
	all := map[string]response{
		"200": {
			Description: "The page.", Content: map[string]media{pageType: {page}},
			Headers: sharing("Facet-Adapter", "Facet-Parts", "ETag", "Cache-Control", "Vary", "X-Request-Id"),
		},
		"304": {
			Description: "The page is the one that the client has.",
			Headers:     sharing("Facet-Adapter", "Facet-Parts", "ETag", "Cache-Control", "Vary", "X-Request-Id"),
		},
	}
	for _, code := range answered() {
		all[status(code)] = response{Ref: responsesAt + code.String()}
	}
	return all
}
