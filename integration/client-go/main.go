// A peer of Leasehold: what a careful user of client-go writes with its leader election, in the shape
// of the contender that benches/README.md describes. What it is set to, and why, is in README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type options struct {
	url             string
	id              string
	timing          timing
	workEvery       time.Duration
	trace           bool
	releaseOnCancel bool
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "", "the lease: "+form)
	flag.StringVar(&o.id, "id", "", "what this candidate is called")
	flag.Var(&o.timing, "timing", "LEASE/DEADLINE/RETRY, such as 15s/10s/2s")
	flag.DurationVar(&o.workEvery, "work-every", time.Millisecond, "how often the work asks whether it may go on")
	flag.BoolVar(&o.trace, "trace", false, "also tell of each request that acquires or renews")
	flag.BoolVar(&o.releaseOnCancel, "release-on-cancel", true, "client-go's ReleaseOnCancel: give the lease back")
	flag.Parse()
	if err := o.check(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func (o *options) check() error {
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("%q is no option", flag.Arg(0))
	case o.url == "" || o.id == "" || o.timing == timing{}:
		return fmt.Errorf("--url, --id and --timing are needed")
	case o.workEvery <= 0:
		return fmt.Errorf("--work-every is %v; it must be above 0", o.workEvery)
	}
	return nil
}

func run(o options) error {
	// First, for who hears that this is ready may send a signal.
	orders := listen()
	place, err := parse(o.url)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	candidate, err := newCandidate(o, place)
	if err != nil {
		return err
	}
	candidate.voice.say("ready", nil)
	if err := candidate.run(orders); err != nil {
		return err
	}
	candidate.voice.say("exit", nil)
	return nil
}
