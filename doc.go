// Package facet is a per-device adapter gateway: the single entry point through
// which televisions, phones and tablets reach a system of services. The package
// itself is empty; the program is cmd/facet, the parts that know no product are
// under core, and what one shop shows on one screen is under adapters. The map of
// which package may import which is a test beside this file.
package facet
