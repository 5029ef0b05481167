package main

import (
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/devices"
)

const deviceHelp = `Say which device class a request is of, and why, as the gateway would decide it.

Each HEADER is a line of the request, such as 'X-Device-Type: tv'. A text that is
no header line is taken as a User-Agent. Without any, it explains a request that
says nothing. The classes and the name of the device header are the defaults, or
those of a configuration file.

It prints the class, the class whose adapter serves it, what decided (header,
form-factors, mobile-hint, user-agent, desktop or default) and the evidence: a
word of the rules, in which # stands for a digit, @ for a letter, and %% for the
inches of a television's screen. Of a User-Agent it prints the rule that it meets,
which decides unless another header is stronger, and each thing that it says.

A header line that is malformed, or that the gateway would refuse, is named on
standard error, with exit status 2.`

const deviceExamples = `  facet device 'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36'
  facet device 'User-Agent: Mozilla/5.0 (Linux; Android 15; K)' 'Sec-CH-UA-Mobile: ?1'
  facet device --config facet.yaml 'X-Device-Type: tv'`

func newDevice() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "device [HEADER...]",
		Short:   "Say which device class a request is of, and why",
		Long:    deviceHelp,
		Example: deviceExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			return device(file, args, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "the configuration `FILE` whose devices apply")
	return cmd
}

func device(file string, lines []string, stdout io.Writer) error {
	options, err := deviceOptions(file)
	if err != nil {
		return err
	}
	resolver, err := devices.NewResolver(options)
	if err != nil {
		return refused{fmt.Errorf("devices: %w", err)}
	}
	header, err := headerOf(lines)
	if err != nil {
		return err
	}
	why, err := resolver.Explain(header)
	if err != nil {
		return refused{err}
	}
	return failed(tell(stdout, why, unread(header, resolver.Vary())))
}

// deviceOptions are those of a configuration file, the defaults without one.
func deviceOptions(file string) (devices.Options, error) {
	if file == "" {
		return devices.Options{}, nil
	}
	b, err := newBuild()
	if err != nil {
		return devices.Options{}, failed(err)
	}
	c, err := load(file, b)
	if err != nil {
		return devices.Options{}, err
	}
	return c.Devices, nil
}

// headerOf reads the header lines of a request.
func headerOf(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value := cutHeader(line)
		if name == "" || strings.ContainsAny(name, " \t") {
			return nil, refused{fmt.Errorf("%q: a header line begins with a name without blanks", line)}
		}
		if strings.ContainsFunc(value, isControl) {
			return nil, refused{fmt.Errorf("%s: must not have control characters", name)}
		}
		h.Add(name, textproto.TrimString(value))
	}
	return h, nil
}

// cutHeader splits a header line. What no name can be before its first colon,
// because of a slash, say, is a User-Agent without its name.
func cutHeader(line string) (name, value string) {
	name, value, found := strings.Cut(line, ":")
	if !found || strings.ContainsFunc(name, func(r rune) bool { return !isNameLike(r) }) {
		return "User-Agent", line
	}
	return name, value
}

// isNameLike holds for what names have, and for blanks, which a slip puts there.
func isNameLike(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_ \t", r)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == '\x7f' }

// unread are the names of the headers that have no say, sorted.
func unread(h http.Header, read string) []string {
	var names []string
	for name := range h {
		known := func(s string) bool { return textproto.CanonicalMIMEHeaderKey(s) == name }
		if !slices.ContainsFunc(strings.Split(read, ", "), known) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// tell prints an explanation in aligned lines, without what there is not.
func tell(to io.Writer, why devices.Explanation, unread []string) error {
	w := table(to)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	d := why.Device
	row("class", string(d.Profile.Class))
	row("adapter", string(d.Profile.Adapter()))
	row("decided by", d.By.String())
	row("header", why.Header)
	row("evidence", d.Evidence)
	row("not read", strings.Join(unread, ", "))
	row("rule met", why.Rule)
	for _, s := range why.Signals {
		row("says "+s.Name, s.Token)
	}
	return w.Flush()
}
