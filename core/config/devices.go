package config

import (
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/facet-gateway/facet/devices"
)

func decodeDevices(v value, o *devices.Options, adapters map[devices.Class][]string) {
	t := trial{}
	if child, ok := v.find("classes"); ok { // before the fields that may name one of them
		decodeClasses(child, t, o, adapters)
	}
	v.fields(
		try(t, "header", &o.Header, deviceHeader),
		set("default", &o.Default, classOf(o.Profiles)),
		set("desktop", &o.Desktop, classOf(o.Profiles)),
		field{"classes", func(value) {}},
	)
	t.settle(v, func() (key, problem string) {
		_, err := devices.NewResolver(*o)
		return deviceProblem(err)
	})
}

// decodeClasses changes the profiles of classes that the code knows and adds
// those of others, each like one that the code knows: that one's adapter serves
// it, unless there is one of its own.
func decodeClasses(v value, t trial, o *devices.Options, adapters map[devices.Class][]string) {
	standard := slices.Clone(o.Profiles)
	t["profiles"] = attempt{v, func() { o.Profiles = standard }}
	v.entries(func(name string, v value) {
		i := slices.IndexFunc(o.Profiles, func(p devices.Profile) bool { return string(p.Class) == name })
		added := i < 0
		if added {
			p := model(v, standard)
			p.Class = devices.Class(name)
			if key, problem := deviceProblem(p.Validate()); key == "class" {
				v.failKey("%s", problem)
				return
			}
			i, o.Profiles = len(o.Profiles), append(o.Profiles, p)
		}
		decodeProfile(v, &o.Profiles[i], standard)
		if like, ok := v.find("like"); ok {
			t[fmt.Sprintf("profiles[%d].like", i)] = attempt{like, func() { o.Profiles[i].Like = "" }}
		}
		if added && adapters[devices.Class(name)] != nil {
			o.Profiles[i].Like = ""
		}
	})
}

// model returns the profile that a new class is like. Where the file names
// none, that is an error, and any profile serves to find the others.
func model(v value, standard []devices.Profile) devices.Profile {
	like, ok := v.find("like")
	if !ok {
		v.missing("like", names(classes(standard)))
		return standard[0]
	}
	if n, ok := like.node.(*ast.StringNode); ok && slices.Contains(classes(standard), n.Value) {
		return standard[slices.Index(classes(standard), n.Value)]
	}
	return standard[0] // decodeProfile says what is wrong with it
}

func classes(profiles []devices.Profile) []string {
	list := make([]string, len(profiles))
	for i, p := range profiles {
		list[i] = string(p.Class)
	}
	return list
}

func decodeProfile(v value, p *devices.Profile, standard []devices.Profile) {
	base := *p
	t := trial{}
	v.fields(
		set("like", &p.Like, classOf(standard)),
		try(t, "hero_width", &p.HeroWidth, count),
		try(t, "thumb_width", &p.ThumbWidth, count),
		try(t, "image_format", &p.ImageFormat, text),
		try(t, "reviews", &p.Reviews, count),
		try(t, "recommendations", &p.Recommendations, count),
		try(t, "offers", &p.Offers, count),
		try(t, "images", &p.Images, count),
		try(t, "rows", &p.Rows, count),
		try(t, "row_length", &p.RowLength, count),
		try(t, "columns", &p.Columns, count),
	)
	t.settle(v, func() (key, problem string) { return deviceProblem(p.Validate()) })
	if p.Validate() != nil { // said above, not to be said again of all devices
		*p = base
	}
}

func classOf(profiles []devices.Profile) reader[devices.Class] {
	return func(v value) (devices.Class, bool) {
		name, ok := oneOf(classes(profiles)...)(v)
		return devices.Class(name), ok
	}
}

// text reads a word. An empty one would be taken for the default.
func text(v value) (string, bool) {
	got, ok := scalar(v, "text")
	if ok && got == "" {
		v.fail("is empty; allowed: text")
		return "", false
	}
	return got, ok
}

// taken are headers that mean another thing: as the device's they would let a
// secret into Vary and the log, or never name a device. Package devices refuses
// those that it reads itself.
func taken(header string) bool {
	switch textproto.CanonicalMIMEHeaderKey(header) {
	case "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Length",
		"Content-Type", "Cookie", "Date", "Expect", "Facet-Timing", "Forwarded", "Host", "If-Modified-Since", "If-None-Match", "Origin",
		"Proxy-Authorization", "Range", "Referer", "Te", "Traceparent", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
		"X-Forwarded-For", "X-Request-Id", "X-User-Id":
		return true
	}
	return false
}

func deviceHeader(v value) (string, bool) {
	name, ok := text(v)
	if ok && taken(name) {
		v.fail("%s has another meaning; allowed: a header of its own, such as X-Device-Type", name)
		return "", false
	}
	return name, ok
}

func deviceProblem(err error) (key, problem string) {
	if err == nil {
		return "", ""
	}
	fault := (*devices.Error)(nil)
	if !errors.As(err, &fault) {
		return "devices", err.Error()
	}
	for _, rule := range []string{"must be ", "must match "} {
		if _, allowed, found := strings.Cut(fault.Detail, rule); found {
			return fault.Field, "is not accepted; allowed: " + allowed
		}
	}
	if fault.Field == "profiles" {
		return fault.Field, "makes too many classes; " + fault.Detail
	}
	return fault.Field, fault.Detail + "; allowed: another one"
}
