package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/facet-gateway/facet/core/fault"
)

// errExpired is that the server has forgotten what came after the list.
var errExpired = errors.New("the resource version is too old")

// endpointSlice is what is read of one (discovery.k8s.io/v1); the server tells more.
type endpointSlice struct {
	Metadata struct {
		Name            string `json:"name"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	AddressType string `json:"addressType"`
	Endpoints   []struct {
		Addresses  []string `json:"addresses"` // only the first has a meaning
		Conditions struct {
			Ready *bool `json:"ready"` // null: yes
		} `json:"conditions"`
		Zone *string `json:"zone"`
	} `json:"endpoints"`
	Ports []endpointPort `json:"ports"`
}

type endpointPort struct {
	Name     *string `json:"name"`     // null: ""
	Protocol *string `json:"protocol"` // null: TCP
	Port     *int    `json:"port"`
}

// endpoints are the instances of a slice.
type endpoints struct {
	name    string
	version string
	found   []Instance
	flaw    error // the first thing that is missing
}

// readList reads a list of slices, and what it is as of.
func readList(text []byte, port string) (map[string]*endpoints, string, error) {
	var list struct {
		Kind     string `json:"kind"`
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []endpointSlice `json:"items"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, "", unreadable(err)
	}
	if list.Kind != "EndpointSliceList" || list.Metadata.ResourceVersion == "" {
		return nil, "", rubbish("kubernetes", fmt.Sprintf("answers with no list of slices, but with %.100q", list.Kind))
	}
	if len(list.Items) > maxSlices {
		return nil, "", rubbish("kubernetes", fmt.Sprintf("has more than %d slices of the service", maxSlices))
	}
	all := make(map[string]*endpoints, len(list.Items))
	for n := range list.Items {
		s := list.Items[n].read(port)
		all[s.name] = s
	}
	return all, list.Metadata.ResourceVersion, nil
}

func unreadable(err error) error {
	return rubbish("kubernetes", fmt.Sprintf("answers what cannot be read: %.200v", err))
}

// read takes the endpoints that are ready, of a port.
func (s *endpointSlice) read(name string) *endpoints {
	e := &endpoints{name: s.Metadata.Name, version: s.Metadata.ResourceVersion}
	if len(s.Endpoints) == 0 {
		return e
	}
	port, err := s.port(name)
	if err != nil {
		e.miss(err)
		return e
	}
	for _, p := range s.Endpoints[:min(len(s.Endpoints), MaxInstances)] {
		if p.Conditions.Ready != nil && !*p.Conditions.Ready {
			continue
		}
		i := Instance{}
		if len(p.Addresses) > 0 {
			i.Address = net.JoinHostPort(p.Addresses[0], strconv.Itoa(port))
		}
		if p.Zone != nil {
			i.Zone = *p.Zone
		}
		if field, err := i.validate(); err != nil {
			e.miss(fmt.Errorf("an endpoint whose %s cannot be used: %w", field, err))
			continue
		}
		e.found = append(e.found, i)
	}
	return e
}

func (e *endpoints) miss(err error) {
	if e.flaw == nil {
		e.flaw = rubbish("kubernetes", fmt.Sprintf("has a slice, %.100q, with %v", e.name, err))
	}
}

// port finds the port of a name among those of TCP; "": the only one.
func (s *endpointSlice) port(name string) (int, error) {
	found := 0
	for _, p := range s.Ports {
		if p.Port == nil || p.Protocol != nil && *p.Protocol != "TCP" {
			continue
		}
		if name != "" && (p.Name == nil || *p.Name != name) {
			continue
		}
		if found != 0 {
			return 0, errors.New("several ports: one has to be named")
		}
		found = *p.Port
	}
	if found == 0 {
		return 0, fmt.Errorf("no port of that name: %q", name)
	}
	return found, nil
}

// events are those of a watch: values of JSON, one after the other.
type events struct {
	*json.Decoder
	bounded *io.LimitedReader
}

// event is one of them. What its object is depends on the type.
type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

func newEvents(r io.Reader) *events {
	bounded := &io.LimitedReader{R: r}
	return &events{json.NewDecoder(bounded), bounded}
}

// next returns the next event, nil once there is none.
func (e *events) next() (*event, error) {
	e.bounded.N = maxAnswer
	var next event
	switch err := e.Decode(&next); {
	case err == nil:
		return &next, nil
	case e.bounded.N <= 0:
		return nil, rubbish("kubernetes", fmt.Sprintf("sends an event of more than %d bytes", maxAnswer))
	case errors.Is(err, io.EOF): // between two events
		return nil, nil //nolint:nilnil // the end
	case isSyntax(err):
		return nil, unreadable(err)
	default:
		return nil, away("kubernetes", err)
	}
}

func isSyntax(err error) bool {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &mismatch)
}

// slice returns what an event is about.
func (e *event) slice(port string) (*endpoints, error) {
	switch e.Type {
	case "ADDED", "MODIFIED", "DELETED", "BOOKMARK":
	case "ERROR":
		return nil, e.error()
	default:
		return nil, rubbish("kubernetes", fmt.Sprintf("sends an event of an unknown type, %.100q", e.Type))
	}
	var s endpointSlice
	if err := json.Unmarshal(e.Object, &s); err != nil {
		return nil, unreadable(err)
	}
	if s.Metadata.ResourceVersion == "" || s.Metadata.Name == "" && e.Type != "BOOKMARK" {
		return nil, rubbish("kubernetes", "sends an event of no slice")
	}
	return s.read(port), nil
}

// error reads the status that an event of an error is about.
func (e *event) error() error {
	var status struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(e.Object, &status); err != nil {
		return unreadable(err)
	}
	if status.Code == http.StatusGone {
		return errExpired
	}
	cause := fmt.Errorf("%d: %.200q", status.Code, status.Message)
	return &fault.Error{Code: fault.Unavailable, Detail: "kubernetes ended the watch", Cause: cause}
}
