package cache

import (
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Invalidation says that answers made until a moment are not to be used any more:
// the one under a key of a command, or all that carry a tag, of whatever command.
type Invalidation struct {
	Command string    `json:"command,omitempty"` // of the key
	Key     string    `json:"key,omitempty"`     // as [Text] writes it
	Tag     string    `json:"tag,omitempty"`
	At      time.Time `json:"at"` // by the store's clock; filled in by [Shared.Invalidate]

	// All is heard by a replica that may have missed some, because it could not
	// be told for a while: everything that it remembers by itself is in doubt.
	All bool `json:"all,omitempty"`
}

// MaxTag is how many bytes a tag may have, MaxTags how many of them an entry.
// An entry with more is not shared.
const (
	MaxTag  = 256
	MaxTags = 32
)

// ErrNoTags is returned for an invalidation by tag where the store has none.
var ErrNoTags = fault.New(fault.Invalid, "the shared cache has no tags")

// Validate reports whether the invalidation means something: a command and a key,
// or a tag. The error's code is [fault.Invalid].
func (i Invalidation) Validate() error {
	key := i.Command != "" && i.Key != ""
	switch {
	case i.All:
		return fault.InvalidField("all", "everything cannot be invalidated at once")
	case (i.Tag != "") == key, !key && i.Command+i.Key != "":
		return fault.New(fault.Invalid, "allowed: a command and a key, or a tag")
	case len(i.Tag) > MaxTag:
		return fault.InvalidField("tag", "too long; allowed: at most 256 bytes")
	case len(i.Key) > maxText, len(i.Command) > maxText:
		return fault.InvalidField("key", "too long; allowed: a key as it is spelled here")
	}
	return nil
}

// Unheard is the error of an invalidation that was done here but reached neither
// the store nor the other replicas.
func unheard(cause error) error {
	return &fault.Error{
		Code: fault.Unavailable, Detail: "the shared cache could not be told; it was done in this process only",
		Cause: cause,
	}
}
