package devices_test

import (
	"fmt"
	"net/http"

	"github.com/facet-gateway/facet/devices"
)

func ExampleResolver_Resolve() {
	resolver, err := devices.NewResolver(devices.Options{Default: devices.Phone, Desktop: devices.Tablet})
	if err != nil {
		fmt.Println(err)
		return
	}
	requests := []http.Header{
		{"X-Device-Type": {"TV"}},
		{"Sec-Ch-Ua-Form-Factors": {`"Tablet"`}, "Sec-Ch-Ua-Mobile": {"?1"}},
		{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}},
		{},
		{"X-Device-Type": {"toaster"}},
	}
	for _, header := range requests {
		device, err := resolver.Resolve(header)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s by %s %q: images of %d pixels\n",
			device.Profile.Class, device.By, device.Evidence, device.Profile.HeroWidth)
	}
	// Output:
	// tv by header "tv": images of 1920 pixels
	// tablet by form-factors "Tablet": images of 1280 pixels
	// tablet by desktop "x11": images of 1280 pixels
	// phone by default "": images of 720 pixels
	// devices: X-Device-Type: must be one of tv, phone, tablet
}
