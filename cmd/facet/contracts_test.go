package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// TestContractsOfConfiguredDevices: a class has the pages of the adapter that serves it.
func TestContractsOfConfiguredDevices(t *testing.T) {
	b, err := newBuild()
	if err != nil {
		t.Fatal(err)
	}
	profiles := devices.Standard()
	profiles[0].Like = devices.Tablet
	watch := profiles[1]
	watch.Class, watch.Like = "watch", devices.Phone
	resolver, err := devices.NewResolver(devices.Options{Profiles: append(profiles, watch)})
	if err != nil {
		t.Fatal(err)
	}
	answering := map[devices.Class]string{devices.TV: "v1", devices.Phone: "v2", devices.Tablet: "v1"}
	all, err := contracts{b.versions, answering, resolver}.all()
	if err != nil {
		t.Fatal(err)
	}
	const want = "phone.json phone/v1.json phone/v2.json tablet.json tablet/v1.json tablet/v2.json " +
		"tv.json tv/v1.json tv/v2.json watch.json watch/v1.json watch/v2.json"
	if got := strings.Join(slices.Sorted(maps.Keys(all)), " "); got != want {
		t.Errorf("the documents are %s, want %s", got, want)
	}
	for name, adapter := range map[string]string{
		"tv.json": "tablet/v1", "phone.json": "phone/v2", "watch.json": "phone/v2", "watch/v1.json": "phone/v1",
	} {
		if !bytes.Contains(all[name], []byte("What "+adapter+" answers.")) {
			t.Errorf("%s is not of %s", name, adapter)
		}
	}
	resolver, err = devices.NewResolver(devices.Options{Profiles: devices.Standard()[1:], Default: devices.Phone, Desktop: devices.Tablet})
	if err != nil {
		t.Fatal(err)
	}
	document, err := contracts{b.versions, answering, resolver}.of(devices.TV, "")
	if err != nil || !bytes.Contains(document, []byte("What tv/v1 answers.")) {
		t.Errorf("an adapter of a class that no device has yet: %v", err)
	}
}
