// Package devices says what a device is and which request header says so.
//
// A [Profile] describes one [Class] of device to the adapters: how large its
// images are, how long its lists. A [Resolver] names the class of a request:
// from an explicit header, else from client hints, else from the user agent,
// else by configuration, and says which of them decided ([By]). An
// [Explanation] says why, for people.
//
// What a client says about its device only shapes the answer; it is never
// proof of anything and grants no right.
//
// Resolving takes well under 100 ns by explicit header and a few microseconds
// by user agent, and allocates only where it fails. Of a user agent only the
// first 2 KiB are read, of the form factors 512 bytes in 8 lines, so a hostile
// header costs no more than a long one.
package devices

// Class names a kind of device, such as "tv". Names match
// [a-z][a-z0-9-]{0,31}.
type Class string

// The classes that [Standard] describes.
const (
	TV     Class = "tv"
	Phone  Class = "phone"
	Tablet Class = "tablet"
)

const maxClassLen = 32

func (c Class) valid() bool {
	if len(c) == 0 || len(c) > maxClassLen || c[0] < 'a' || c[0] > 'z' {
		return false
	}
	for i := range len(c) {
		if !isLower(c[i]) && !isDigit(c[i]) && c[i] != '-' {
			return false
		}
	}
	return true
}

func isLower(b byte) bool { return 'a' <= b && b <= 'z' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// lower folds ASCII only: the names compared with it are ASCII, and Unicode
// folding would let a foreign letter pass for one of theirs.
func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}
