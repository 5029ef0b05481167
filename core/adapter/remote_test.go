package adapter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

func elsewhere(_ context.Context, path string, r *adapter.Request) (adapter.Answer, error) {
	return adapter.Answer{ContentType: "text/plain", Body: []byte(path + "?" + r.RawQuery)}, nil
}

func TestARemoteVersionIsAskedForItsPaths(t *testing.T) {
	t.Parallel()
	v, err := adapter.NewRemote(devices.Phone, "v9", []string{"/item", "/home"}, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Remote() || v.String() != "phone/v9" || strings.Join(v.Paths(), " ") != "/item /home" {
		t.Errorf("it is %v, remote %v, with %v", v, v.Remote(), v.Paths())
	}
	for _, path := range v.Paths() {
		e, _ := v.Endpoint(path)
		a, err := e.Serve(t.Context(), &adapter.Request{RawQuery: "id=a"})
		if err != nil || string(a.Body) != path+"?id=a" || e.Page != nil {
			t.Errorf("%s: %s %v", path, a.Body, err)
		}
	}
	for _, paths := range [][]string{{"item"}, {"/item", "/item"}, {"/../x"}} {
		if _, err := adapter.NewRemote(devices.Phone, "v9", paths, elsewhere); err == nil {
			t.Errorf("%q was accepted", paths)
		}
	}
	if _, err := adapter.NewRemote(devices.Phone, "nine", nil, elsewhere); err == nil {
		t.Error("a name was accepted that is none")
	}
}

func TestASetWithRemoteVersions(t *testing.T) {
	t.Parallel()
	local, err := adapter.New(devices.Phone, "v1")
	if err != nil {
		t.Fatal(err)
	}
	remote, err := adapter.NewRemote(devices.Phone, "v9", []string{"/item"}, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	set, err := adapter.NewSet(local)
	if err != nil {
		t.Fatal(err)
	}
	both, err := set.With(remote)
	if err != nil {
		t.Fatal(err)
	}
	if found := both.Find(devices.Phone, "v9"); found == nil || !found.Remote() || both.Find(devices.Phone, "v1").Remote() {
		t.Errorf("the set has %v", both.All())
	}
	if len(set.All()) != 1 || strings.Join(both.Names()[devices.Phone], " ") != "v1 v9" {
		t.Errorf("there are %v, and in the set that it was made of %v", both.Names(), set.Names())
	}
	if _, err := both.With(remote); err == nil || !strings.Contains(err.Error(), "phone/v9: two versions") {
		t.Errorf("twice: %v", err)
	}
	upon, err := adapter.NewOn(devices.Phone, "v2", "v1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.With(upon); err == nil || !strings.Contains(err.Error(), "builds on phone/v1") {
		t.Errorf("one that builds on another: %v", err)
	}
	if again, err := adapter.NewSet(remote); err != nil || !again.Find(devices.Phone, "v9").Remote() {
		t.Errorf("in a set of its own: %v", err)
	}
}
