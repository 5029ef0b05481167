//go:build !unix

package file

import (
	"errors"
	"os"
)

// claim fails: without a lock that ends with its process, a file is not safe.
func claim(string) (*os.File, error) { return nil, errors.ErrUnsupported }
