package devices

// Device is what a request was resolved to. It is a small value to copy.
type Device struct {
	// Profile is never nil and shared: do not change it.
	Profile *Profile
	// By is what decided.
	By By
	// Evidence is the word that decided: the class, a form factor, or a token
	// of the rules. It is one of a fixed set, never the client's own text, and
	// empty for [ByDefault].
	Evidence string
}

// By is what decided the class of a device.
type By uint8

// What can decide, strongest first.
const (
	ByHeader      By = iota + 1 // the explicit device header
	ByFormFactors               // Sec-CH-UA-Form-Factors
	ByMobileHint                // Sec-CH-UA-Mobile: ?1
	ByUserAgent                 // a rule about the User-Agent
	ByDesktop                   // a hint or the User-Agent says desktop, which takes the configured class
	ByDefault                   // nothing said anything: the configured class
)

// String returns the name of b for logs and metrics, "none" for the zero value.
func (b By) String() string {
	switch b {
	case ByHeader:
		return "header"
	case ByFormFactors:
		return "form-factors"
	case ByMobileHint:
		return "mobile-hint"
	case ByUserAgent:
		return "user-agent"
	case ByDesktop:
		return "desktop"
	case ByDefault:
		return "default"
	}
	return "none"
}
