// Package wire holds what services speak over other protocols than HTTP: interface
// descriptions, and in a package for each the Go code that `make generate` makes of them.
package wire
