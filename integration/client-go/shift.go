package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errResigned = errors.New("resigned")
	errOver     = errors.New("over")
)

// shift is the work of one campaign, if it wins a term: to ask, again and again, whether it may work.
type shift struct {
	voice *voice
	every time.Duration
	// Who client-go thinks leads; itself is one of them.
	leader func() string
	own    string

	work context.Context
	stop context.CancelCauseFunc
	// Held while it is at work.
	working sync.Mutex
	atWork  atomic.Bool
}

func newShift(c *candidate) *shift {
	work, stop := context.WithCancelCause(context.Background())
	return &shift{
		voice: c.voice, every: c.workEvery, own: c.lock.Identity(), work: work, stop: stop,
	}
}

// lead is what client-go calls, on a goroutine of its own, which may come late: after Run has returned.
func (s *shift) lead(leadership context.Context) {
	s.working.Lock()
	defer s.working.Unlock()
	if s.work.Err() != nil || leadership.Err() != nil {
		return
	}
	s.atWork.Store(true)
	s.voice.say("start", nil)
	last := s.until(leadership)
	s.atWork.Store(false)
	s.voice.say("stop", fields{"last": last, "why": s.why()})
}

// until works until the leadership ends, or the shift. It returns when it was last allowed to.
func (s *shift) until(leadership context.Context) (last *uint64) {
	ticks := time.NewTicker(s.every)
	defer ticks.Stop()
	for {
		// In this order a freeze between the two can never count work that was not allowed.
		now := monotonic()
		if leadership.Err() == nil && s.work.Err() == nil {
			last = &now
		}
		select {
		case <-leadership.Done():
			return last
		case <-s.work.Done():
			return last
		case <-ticks.C:
		}
	}
}

func (s *shift) why() string {
	leader := s.leader()
	switch {
	case context.Cause(s.work) == errResigned:
		return "resigned"
	case leader != "" && leader != s.own:
		return "lost"
	default:
		return "lapsed"
	}
}

func (s *shift) isAtWork() bool {
	return s.atWork.Load()
}

// end ends the work, or keeps it from beginning, and returns once it has ended.
func (s *shift) end(why error) {
	s.stop(why)
	s.working.Lock()
	defer s.working.Unlock()
}
