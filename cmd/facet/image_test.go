//go:build linux

package main_test

import (
	"bufio"
	"debug/elf"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// nobody is the user that the image runs as.
const nobody = 65532

// TestImage does what the Dockerfile does, where no container engine is at hand:
// it builds with the command that the file has, and runs the binary as nobody in
// a root directory that is empty but for its configuration.
func TestImage(t *testing.T) {
	root := t.TempDir()
	build(t, filepath.Join(root, "facet"))
	checkStatic(t, filepath.Join(root, "facet"))
	write(t, filepath.Join(root, "facet.yaml"), emptyServices())
	for _, path := range []string{filepath.Dir(root), root} { // nobody has to get there
		if err := os.Chmod(path, 0o755); err != nil { //nolint:gosec // it holds no secret
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "/facet", "serve", "--config", "/facet.yaml")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", []string{}, confined(root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log output
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if admin, found := strings.CutPrefix(lines.Text(), "admin "); found {
			checkServing(t, admin)
			checkUser(t, cmd.Process.Pid)
			break
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// build runs the Dockerfile's own build command, for another path.
func build(t *testing.T, target string) {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^RUN (.* go build .*) -o /facet \./cmd/facet$`).FindStringSubmatch(string(text))
	if command == nil {
		t.Fatal("the Dockerfile has no line that builds the program")
	}
	sh := exec.CommandContext(t.Context(), "sh", "-c", command[1]+" -buildvcs=false -o \"$0\" ./cmd/facet", target)
	sh.Dir = "../.."
	if output, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command[1], err, output)
	}
}

// checkStatic fails if the binary needs a loader or a library.
func checkStatic(t *testing.T, program string) {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	libraries, _ := file.ImportedLibraries()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || len(libraries) > 0 {
			t.Fatalf("the binary is not static: it needs %v", libraries)
		}
	}
}

// confined is what a container would be: another root, and nobody as the user.
// Without the right to do so, a user namespace gives it.
func confined(root string) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if os.Getuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// checkUser asks the kernel who the program is; it sees a namespace's nobody as us.
func checkUser(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	user := nobody
	if os.Getuid() != 0 {
		user = os.Getuid()
	}
	if want := fmt.Sprintf("\nUid:\t%d\t%d\t", user, user); err != nil || !strings.Contains(string(status), want) {
		t.Errorf("%v; the program does not run as %d:\n%s", err, user, status)
	}
}

// checkServing asks the program how it is.
func checkServing(t *testing.T, admin string) {
	t.Helper()
	r, err := http.Get(admin + "/readyz")
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusOK {
		t.Errorf("ready: %s", r.Status)
	}
}

// emptyServices is a configuration whose services are nowhere.
func emptyServices() string {
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nserver: {drain_delay: 0s}\nservices:\n")
	for _, name := range []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations", "profiles", "auth"} {
		b.WriteString("  " + name + ": {instances: [\"http://127.0.0.1:1\"]}\n")
	}
	return b.String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // nobody has to read it
		t.Fatal(err)
	}
}

// TestDockerfileIsSound: dockerfile-utils is not ours. It is shown to find something
// where there is something.
func TestDockerfileIsSound(t *testing.T) {
	t.Parallel()
	if output, err := tool(t, "../..", "dockerfile-utils", "lint", "Dockerfile"); err != nil || strings.TrimSpace(output) != "" {
		t.Errorf("%v\n%s", err, output)
	}
	bad := filepath.Join(t.TempDir(), "Dockerfile")
	write(t, bad, "FROM scratch\nEXPOSE nothing\n")
	if output, err := tool(t, "../..", "dockerfile-utils", "lint", bad); err == nil || !strings.Contains(output, "nothing") {
		t.Errorf("a bad file passes: %s", output)
	}
}
