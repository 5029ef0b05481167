package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/cache/redis"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]redis.Address{
		"redis://cache.internal":              {Server: "cache.internal:6379"},
		"redis://127.0.0.1:7000/3":            {Server: "127.0.0.1:7000", Database: 3},
		"rediss://facet@cache.internal:6380/": {Server: "cache.internal:6380", TLS: true, User: "facet"},
		"redis://:s%40cret@[::1]:6379":        {Server: "[::1]:6379", Password: "s@cret"},
		"redis://facet:secret@h:1":            {Server: "h:1", User: "facet", Password: "secret"},
	} {
		if got, err := redis.Parse(text); err != nil || got != want {
			t.Errorf("%s: %#v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "cache:6379", "http://cache:6379", "redis://", "redis:cache", "redis://:6379", "redis://h:0", "redis://h:66666", "redis://h:x",
		"redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://h//1", "redis://h?db=1", "redis://h#1", "redis://h /1",
		"redis://secret:secret@h:x",
	} {
		if got, err := redis.Parse(text); err == nil {
			t.Errorf("%s was accepted: %#v", text, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnAddressPrintsWithoutPassword(t *testing.T) {
	a, err := redis.Parse("rediss://facet:secret@h:1/2")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, a); got != "rediss://h:1/2" {
			t.Errorf("%s: %s", format, got)
		}
	}
}
