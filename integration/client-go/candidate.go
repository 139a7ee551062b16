package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// candidate stands for the lease again and again.
type candidate struct {
	options
	voice *voice
	lock  resourcelock.Interface
}

// newCandidate asks for the lease once, so that a cluster that is not there, or refuses, is known now.
func newCandidate(o options, at place) (*candidate, error) {
	c := &candidate{options: o, voice: &voice{id: o.id}}
	config, namespace, err := at.cluster()
	if err != nil {
		return nil, err
	}
	// Its own limit, of five requests a second, is meant for a controller's other work: renewals every
	// 150 ms would wait for it.
	config.QPS = -1
	if o.trace {
		config.Wrap(announced)
	}
	identity := resourcelock.ResourceLockConfig{Identity: o.id + "_" + string(uuid.NewUUID())}
	// It also limits how long a request takes: to half the renew deadline, and no less than a second.
	c.lock, err = resourcelock.NewFromKubeconfig(
		resourcelock.LeasesResourceLock, namespace, at.name, identity, config, o.timing.deadline)
	if err != nil {
		return nil, err
	}
	if o.trace {
		c.lock = tracedLock{Interface: c.lock, voice: c.voice, lease: o.timing.lease}
	}
	if _, err := c.elector(newShift(c)); err != nil {
		return nil, fmt.Errorf("--timing: %w", err)
	}
	if _, _, err := c.lock.Get(context.Background()); err != nil && !errors.IsNotFound(err) {
		return nil, fmt.Errorf("the lease %s cannot be read: %w", c.lock.Describe(), err)
	}
	return c, nil
}

func (c *candidate) run(orders <-chan order) error {
	for {
		ended, err := c.campaign(orders)
		switch {
		case err != nil:
			return err
		case ended == exit:
			return nil
		case ended == stepDown && c.standAside(orders) == exit:
			return nil
		}
	}
}

// campaign stands for the lease once, and leads for as long as client-go lets it. It returns the order
// that ended it, or none if the lease was lost.
func (c *candidate) campaign(orders <-chan order) (order, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shift := newShift(c)
	elector, err := c.elector(shift)
	if err != nil {
		return none, err
	}
	shift.leader = elector.GetLeader
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		elector.Run(ctx)
	}()
	for {
		select {
		case <-ended:
			// The next term's work does not begin while this one's goes on.
			shift.end(errOver)
			return none, nil
		case order := <-orders:
			if order == stepDown && !shift.isAtWork() {
				continue
			}
			// As ReleaseOnCancel wants it: what the lease guards has ended before the cancellation.
			shift.end(errResigned)
			cancel()
			<-ended
			return order, nil
		}
	}
}

func (c *candidate) elector(shift *shift) (*leaderelection.LeaderElector, error) {
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            c.lock,
		LeaseDuration:   c.timing.lease,
		RenewDeadline:   c.timing.deadline,
		RetryPeriod:     c.timing.retry,
		ReleaseOnCancel: c.releaseOnCancel,
		Name:            c.id,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: shift.lead,
			OnStoppedLeading: func() {},
		},
	})
}

// standAside waits until every standby had its turn: client-go would win back what it has just released,
// for it looks at once where the others look now and then; and what it has not released is still its own.
func (c *candidate) standAside(orders <-chan order) order {
	look := time.Duration((1 + leaderelection.JitterFactor) * float64(c.timing.retry))
	wait := look
	if !c.releaseOnCancel {
		// One look at the last renewal, a whole lease, and the next look.
		wait = look + c.timing.lease + look
	}
	over := time.After(wait)
	for {
		select {
		case <-over:
			return none
		case order := <-orders:
			if order == exit {
				return exit
			}
		}
	}
}
