package main

import (
	"fmt"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/devices"
)

// contracts are what the devices of a configuration are promised, as documents.
type contracts struct {
	versions  *adapter.Set
	answering map[devices.Class]string // the version's name, by the adapter's class
	devices   *devices.Resolver
}

// of returns the document of a device class and a version of the adapter that
// serves it; "" is the one that answers. An error says which there are.
func (c contracts) of(class devices.Class, version string) ([]byte, error) {
	serving := c.serving(class)
	if c.versions.Names()[serving] == nil {
		return nil, fmt.Errorf("device: there is no class %q; there are %s", class, listed(c.devices.Classes()))
	}
	if version == "" {
		version = c.answering[serving]
	}
	v := c.versions.Find(serving, version)
	if v == nil {
		return nil, fmt.Errorf("version: %s has no %q; there are %s", class, version, listed(c.versions.Names()[serving]))
	}
	document, err := openapi.New(v, openapi.Options{Header: c.devices.Header(), Class: class})
	if err != nil {
		return nil, failed(err)
	}
	return document.JSON(), nil
}

// serving returns the class of the adapter that serves a device class: that itself
// if no device is of it yet, as long as its first pages are being written.
func (c contracts) serving(class devices.Class) devices.Class {
	if profile, known := c.devices.Lookup(class); known {
		return profile.Adapter()
	}
	return class
}

// all returns the documents of every class and version, and by class alone those
// of the versions that answer.
func (c contracts) all() (map[string][]byte, error) {
	all := make(map[string][]byte)
	for _, class := range c.devices.Classes() {
		serving := c.serving(class)
		for _, version := range c.versions.Names()[serving] {
			document, err := c.of(class, version)
			if err != nil {
				return nil, err
			}
			all[string(class)+"/"+version+".json"] = document
			if version == c.answering[serving] {
				all[string(class)+".json"] = document
			}
		}
	}
	return all, nil
}

func listed[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = string(name)
	}
	return strings.Join(words, ", ")
}
