package adapter

import (
	"context"

	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// NewRemote returns a version whose pages are made elsewhere: serve brings the one of a
// path, and is [Endpoint.Serve] otherwise. An error of it whose code is no refusal (its
// status is 5xx) says that the version is not there, and that another one should make
// the page. It returns an error that names paths which are not of the form /name or
// stand there twice.
func NewRemote(
	class devices.Class, name string, paths []string, serve func(ctx context.Context, path string, r *Request) (Answer, error),
) (*Version, error) {
	endpoints := make([]Endpoint, len(paths))
	for i, path := range paths {
		endpoints[i] = Endpoint{
			Path: path,
			serve: func(ctx context.Context, r *Request, _ func([]byte)) (a Answer, err error) {
				defer func() {
					if v := recover(); v != nil {
						err = stream.Panicked(v)
					}
				}()
				return serve(ctx, path, r)
			},
		}
	}
	v, err := New(class, name, endpoints...)
	if err != nil {
		return nil, err
	}
	v.remote = true
	return v, nil
}
