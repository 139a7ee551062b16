package main

import (
	"encoding/json"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// voice is what a contender says on standard output, one JSON object a line.
type voice struct {
	id    string
	mutex sync.Mutex
}

type fields map[string]any

// say says that something happens now.
func (v *voice) say(event string, more fields) {
	v.sayAt(monotonic(), event, more)
}

// sayAt says that something happened at an instant.
func (v *voice) sayAt(t uint64, event string, more fields) {
	all := fields{"event": event, "id": v.id, "t": t}
	for name, value := range more {
		all[name] = value
	}
	line, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	// One write, so that a line is either there or not. Who does not listen any more has ended, and
	// standard input says so too.
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// monotonic is CLOCK_MONOTONIC in nanoseconds: the one clock that all processes of a host share and
// that nobody sets.
func monotonic() uint64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	return uint64(now.Nano())
}
