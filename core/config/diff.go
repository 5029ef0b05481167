package config

import (
	"fmt"
	"strings"
)

// Change is a setting that two configurations have different values of.
type Change struct {
	Path string `json:"path"`
	Old  string `json:"old"` // as a file would say it; empty: there was no such setting
	New  string `json:"new"` // empty: there is none any more
}

// String returns "path: old -> new".
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, orNone(c.Old), orNone(c.New))
}

func orNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// reloadable says of every setting whether a reload may change it. A row is of a
// setting or of everything below it; "*" stands for any name. What has no row
// needs a restart, and fails a test: whoever adds a setting decides.
func reloadable() map[string]bool {
	return map[string]bool{
		"listen":                           false,
		"admin":                            false,
		"devices":                          true,
		"admission":                        true,
		"auth.mode":                        false, // whom to believe is not to be changed by the way
		"cors.origins":                     true,
		"cors.max_age":                     true,
		"log.level":                        true,
		"log.format":                       false, // a log is of one form
		"log.requests":                     true,
		"server.read_header_timeout":       false,
		"server.read_timeout":              false,
		"server.write_timeout":             false,
		"server.idle_timeout":              false,
		"server.max_header_bytes":          false,
		"server.max_header_lines":          false,
		"server.drain_delay":               false,
		"server.shutdown_timeout":          false,
		"server.gzip_min":                  false,
		"cache":                            false, // a store is a connection
		"zone":                             false,
		"services.*.transport":             false,
		"services.*.broker":                false,
		"services.*.instances":             false,
		"services.*.live":                  false,
		"services.*.resolver":              false,
		"services.*.balance":               true,
		"services.*.balance.check.path":    false, // it is checked by the client
		"services.*.balance.check.grpc":    false,
		"services.*.max_body":              false,
		"services.*.max_connections":       false,
		"services.*.retry_budget":          true,
		"services.*.commands":              true,  // all of a policy
		"rollout":                          false, // what it keeps is changed through the private port
		"rollout.remotes.*.timeout":        true,
		"rollout.remotes.*.max_concurrent": true,
		"rollout.remotes.*.circuit":        true,
		"operators.tokens":                 true,
		"operators.audit":                  false,
		"operators.hosts":                  false,
		"pages.*.budget":                   true,
		"routes":                           true, // but for a name that was not there at the start, whose command would be new
		"static":                           true,
		"live":                             true, // of clients that come from then on
		"adapters":                         true,
	}
}

// Diff compares two configurations, setting by setting: changes are those that a
// reload can put in force, restart those that it cannot.
func Diff(before, after *Config) (changes, restart []Change) {
	rows := reloadable()
	for _, d := range differences(before.Settings(), after.Settings()) {
		if rows[rowOf(rows, d.form)] {
			changes = append(changes, d.Change)
		} else {
			restart = append(restart, d.Change)
		}
	}
	return changes, restart
}

// rowOf returns the row that covers a setting: its own, or one of what it is in.
// It is empty if there is none.
func rowOf(rows map[string]bool, form string) string {
	for form != "" {
		if _, found := rows[form]; found {
			return form
		}
		form = form[:max(strings.LastIndexByte(form, '.'), 0)]
	}
	return ""
}

type difference struct {
	Change
	form string
}

// differences are those of the settings that are there after, then those that
// are there no more.
func differences(before, after []Setting) []difference {
	var list []difference
	old := make(map[string]string, len(before))
	for _, s := range before {
		old[s.Path] = s.Value
	}
	for _, s := range after {
		if old[s.Path] != s.Value {
			list = append(list, difference{Change{s.Path, old[s.Path], s.Value}, s.form})
		}
		delete(old, s.Path)
	}
	for _, s := range before {
		if gone, ok := old[s.Path]; ok {
			list = append(list, difference{Change{s.Path, gone, ""}, s.form})
		}
	}
	return list
}
