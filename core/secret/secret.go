// Package secret reads passwords and tokens from files, where the configuration names
// the file and never says the secret.
package secret

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// longest is the most bytes of a secret.
const longest = 4096

// Read returns the one line of a file, of at most 4,096 bytes without control
// characters. The line may have its end. No error repeats what the file holds.
func Read(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return "", fmt.Errorf("a secret: %w", err)
	}
	defer f.Close()                                       //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, longest+2)) //nolint:mnd // with the end of the line
	if err != nil {
		return "", fmt.Errorf("a secret: %w", err)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 || len(text) > longest || bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%s holds no secret; allowed: one line of at most %d bytes", file, longest)
	}
	return string(text), nil
}
