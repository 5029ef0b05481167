package devices

// Error says which field or header is wrong. From [NewResolver] and
// [Profile.Validate] Field is a path such as "profiles[1].columns"; from
// [Resolver.Resolve] it is the name of the device header. Detail never repeats
// what a client sent.
type Error struct {
	Field  string
	Detail string
}

// Error returns the field and what is wrong with it.
func (e *Error) Error() string { return "devices: " + e.Field + ": " + e.Detail }
