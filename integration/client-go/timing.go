package main

import (
	"fmt"
	"strings"
	"time"
)

// timing is LEASE/DEADLINE/RETRY, as it is written on the command line. Whether the three go together
// client-go says.
type timing struct {
	lease, deadline, retry time.Duration
}

func (t *timing) String() string {
	return fmt.Sprintf("%v/%v/%v", t.lease, t.deadline, t.retry)
}

// Set reads what was written.
func (t *timing) Set(text string) error {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return fmt.Errorf("it has %d parts; LEASE/DEADLINE/RETRY is needed, such as 15s/10s/2s", len(parts))
	}
	for i, into := range []*time.Duration{&t.lease, &t.deadline, &t.retry} {
		duration, err := time.ParseDuration(strings.TrimSpace(parts[i]))
		if err != nil || duration <= 0 {
			return fmt.Errorf("%q is no duration such as 700ms", parts[i])
		}
		*into = duration
	}
	// It would write 1 s for 1.5 s, and others would take the lease while it leads.
	if t.lease%time.Second != 0 {
		return fmt.Errorf("the lease duration is %v; client-go writes whole seconds", t.lease)
	}
	return nil
}
