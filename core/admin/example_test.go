package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/facet-gateway/facet/core/admin"
)

func ExampleNew() {
	port := admin.New(admin.Options{Ready: func() bool { return false }})
	w := httptest.NewRecorder()
	port.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/readyz", http.NoBody))
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 503 {
	//   "ready": false
	// }
}
