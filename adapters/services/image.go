package services

import "strconv"

// Image is a picture of a product, on the image service.
type Image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

// At returns the address of the picture in a width in pixels and a format:
// "jpeg", "webp" or "avif"; "" if there is no picture.
func (i Image) At(width int, format string) string {
	if i.URL == "" {
		return ""
	}
	return i.URL + "?w=" + strconv.Itoa(width) + "&fmt=" + format
}
