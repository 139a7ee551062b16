package main

import (
	"context"
	"net/http"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// tracedLock tells of each write that acquires or renews: that it leaves, and that it was confirmed. It
// changes nothing else.
type tracedLock struct {
	resourcelock.Interface
	voice *voice
	lease time.Duration
}

// claim goes with a request's context from the lock to the wire.
type claim struct {
	voice *voice
	sent  uint64
}

type claimKey struct{}

func (l tracedLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.traced(ctx, record, l.Interface.Create)
}

func (l tracedLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.traced(ctx, record, l.Interface.Update)
}

func (l tracedLock) traced(
	ctx context.Context,
	record resourcelock.LeaderElectionRecord,
	write func(context.Context, resourcelock.LeaderElectionRecord) error,
) error {
	if record.HolderIdentity == "" {
		// A release.
		return write(ctx, record)
	}
	claim := &claim{voice: l.voice}
	err := write(context.WithValue(ctx, claimKey{}, claim), record)
	if err == nil {
		// client-go counts from when it has the answer.
		now := monotonic()
		until := now + uint64(l.lease.Nanoseconds())
		l.voice.sayAt(now, "renewed", fields{"sent": claim.sent, "until": until})
	}
	return err
}

// announced is a transport that tells of claims just before they leave, those too that client-go
// repeats by itself.
func announced(next http.RoundTripper) http.RoundTripper {
	return announcing{next}
}

type announcing struct {
	next http.RoundTripper
}

func (a announcing) RoundTrip(request *http.Request) (*http.Response, error) {
	if claim, ok := request.Context().Value(claimKey{}).(*claim); ok {
		claim.sent = monotonic()
		claim.voice.sayAt(claim.sent, "sending", nil)
	}
	return a.next.RoundTrip(request)
}
