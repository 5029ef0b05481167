//go:build unix

package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

// claim takes the lock of a file, or says which process has it. The file of the lock
// stays for ever: removing it would let two processes lock two files of one name.
func claim(name string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | syscall.O_NOFOLLOW
	f, err := os.OpenFile(name+".lock", flags, newMode) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, err
	}
	err = flock(f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w (%s); replicas share rollouts in etcd", errTaken, holder(f))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	sign(f)
	return f, nil
}

func flock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = raw.Control(func(fd uintptr) { locked = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
	return errors.Join(err, locked)
}

const longestID = 20 // digits

// holder is who has signed the lock. It is for people only.
func holder(f *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(f, longestID))
	id, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return "it does not say which"
	}
	return fmt.Sprintf("process %d", id)
}

func sign(f *os.File) {
	_ = f.Truncate(0)
	_, _ = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
}
