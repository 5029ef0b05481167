package report

import "time"

// Exchange is one request with what became of it, for whoever counts requests.
type Exchange struct {
	Report   *Report       // its parts and calls; nobody may keep it
	Page     string        // its name, such as "productdetails"; "" if the request came to none
	Device   string        // its class; "" likewise
	Version  string        // of the adapter that answered, such as "phone/v1"; "" likewise
	Failed   string        // the version that panicked, so that Version answered instead; "": none
	Status   int           // as sent; 499: the client was gone
	Bytes    int           // of the body, as sent
	Took     time.Duration // until the answer was written
	Runaways int           // goroutines of the page that outlived it: if there are, its calls must not be read
}
