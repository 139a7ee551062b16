package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

// order is what a contender may be told while it runs.
type order int

const (
	none order = iota
	// SIGTERM, or the end of standard input, so that no contender outlives its harness: resign and exit.
	exit
	// SIGUSR1: resign and stand by.
	stepDown
)

// listen listens to what this process is told from now on.
func listen() <-chan order {
	orders := make(chan order)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1)
	go func() {
		for signal := range signals {
			if signal == syscall.SIGUSR1 {
				orders <- stepDown
			} else {
				orders <- exit
			}
		}
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		orders <- exit
	}()
	return orders
}
