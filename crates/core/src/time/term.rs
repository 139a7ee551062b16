use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{clock::Clock, moment::Moment};
use crate::{End, FencingToken, LeaseLock, kernel::Bounds};

/// What a warden does about work that goes on after its term has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overrun {
    /// Abort the process: the alternative is two leaders.
    Abort,
    /// Say so: the work is the caller's own affair.
    Tell,
}

/// One term of leadership, as its work, the driver and the warden share it.
///
/// It ends once and for ever, by whoever finds out first; nothing makes it current again.
pub(crate) struct Term {
    pub(crate) lease: Arc<str>,
    pub(crate) candidate: Arc<str>,
    pub(crate) token: FencingToken,
    pub(crate) overrun: Overrun,
    pub(crate) clock: Arc<dyn Clock>,
    bounds: Bounds,
    /// The moment before the confirmed write was sent, on the two clocks that a holder goes by.
    /// Read without a lock: each alone is a valid limit, so a torn pair is one, too.
    sent_boottime: AtomicU64,
    sent_raw: AtomicU64,
    /// Why it ended; set before `over`, so that whoever sees the one sees the other.
    end: OnceLock<End>,
    over: AtomicBool,
    /// The first stage of the end: asked to stop, and whether because nothing was renewed in time.
    stopping: CancellationToken,
    unrenewed: AtomicBool,
    /// The second: the work must not go on.
    ended: CancellationToken,
    /// The tasks of the work. Closed when the guard is gone: closed and empty, the work has ended.
    pub(crate) work: TaskTracker,
    /// The lease was given back, or could not be.
    finished: CancellationToken,
    released: AtomicBool,
    /// Kept until the work has ended: a store that proves death (a file that is locked) would take
    /// the end of the lock for the death of its holder.
    lock: Mutex<Option<Arc<dyn LeaseLock>>>,
}

/// What a term is made of.
pub(crate) struct TermParts {
    pub(crate) lease: Arc<str>,
    pub(crate) candidate: Arc<str>,
    pub(crate) token: FencingToken,
    pub(crate) sent: Moment,
    pub(crate) overrun: Overrun,
    pub(crate) bounds: Bounds,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lock: Arc<dyn LeaseLock>,
}

impl Term {
    pub(crate) fn begin(parts: TermParts) -> Arc<Self> {
        Arc::new(Self {
            lease: parts.lease,
            candidate: parts.candidate,
            token: parts.token,
            overrun: parts.overrun,
            clock: parts.clock,
            bounds: parts.bounds,
            sent_boottime: AtomicU64::new(parts.sent.boottime),
            sent_raw: AtomicU64::new(parts.sent.raw),
            end: OnceLock::new(),
            over: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            unrenewed: AtomicBool::new(false),
            ended: CancellationToken::new(),
            work: TaskTracker::new(),
            finished: CancellationToken::new(),
            released: AtomicBool::new(false),
            lock: Mutex::new(Some(parts.lock)),
        })
    }

    /// Whether the term is current: no I/O, two clock reads. Once false, false for ever.
    pub(crate) fn is_current(&self) -> bool {
        if self.over.load(Ordering::Acquire) {
            return false;
        }
        // The limit is read before the clock: a limit that is extended meanwhile only comes late.
        let sent = self.sent();
        let current = self.clock.as_holder().age(sent) < self.bounds.validity;
        if !current {
            self.end(End::Lapsed);
        }
        current
    }

    /// How long the term lasts if nothing renews it.
    pub(crate) fn remaining(&self) -> Duration {
        if self.over.load(Ordering::Acquire) {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.bounds.validity.saturating_sub(self.age()))
    }

    /// The nanoseconds since the confirmed write was sent.
    pub(crate) fn age(&self) -> u64 {
        let sent = self.sent();
        self.clock.as_holder().age(sent)
    }

    /// A write was confirmed: validity counts from its sending, even where that is less than it
    /// was. Says whether this was news.
    pub(crate) fn confirm(&self, sent: Moment) -> bool {
        let before = self.sent_boottime.swap(sent.boottime, Ordering::AcqRel);
        self.sent_raw.store(sent.raw, Ordering::Release);
        before != sent.boottime
    }

    /// Asks the work to stop. Nothing is logged here, nor at the end: the warden calls this, and
    /// must not wait for a log.
    pub(crate) fn stop(&self, why: End) {
        if why == End::Lapsed && !self.stopping.is_cancelled() {
            self.unrenewed.store(true, Ordering::Release);
        }
        self.stopping.cancel();
    }

    /// Why it ended, for those who ask: work that has ended because nothing was renewed has not
    /// resigned.
    pub(crate) fn reason(&self) -> Option<End> {
        let unrenewed = self.unrenewed.load(Ordering::Acquire);
        self.why().map(|why| if unrenewed && why == End::Resigned { End::Lapsed } else { why })
    }

    /// Ends the term: from here on nothing may be done in its name.
    pub(crate) fn end(&self, why: End) {
        if self.end.set(why).is_ok() {
            self.over.store(true, Ordering::Release);
            self.stopping.cancel();
            self.ended.cancel();
        }
    }

    pub(crate) fn why(&self) -> Option<End> {
        self.end.get().copied()
    }

    pub(crate) const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    pub(crate) const fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Whether nothing of the work is left.
    pub(crate) fn work_has_ended(&self) -> bool {
        self.work.is_closed() && self.work.is_empty()
    }

    /// The work has ended: the lock is let go here, where the driver may wait for it, and not
    /// wherever the last reference goes.
    pub(crate) fn let_go(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The lease was given back, or could not be.
    pub(crate) fn finish(&self, released: bool) {
        self.released.store(released, Ordering::Release);
        self.finished.cancel();
    }

    /// Ends when the lease was given back (true) or could not be (false).
    pub(crate) async fn finished(&self) -> bool {
        self.finished.cancelled().await;
        self.released.load(Ordering::Acquire)
    }

    pub(super) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn sent(&self) -> Moment {
        Moment {
            boottime: self.sent_boottime.load(Ordering::Acquire),
            monotonic: 0,
            raw: self.sent_raw.load(Ordering::Acquire),
        }
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("lease", &self.lease)
            .field("candidate", &self.candidate)
            .field("token", &self.token)
            .field("end", &self.end.get())
            .finish_non_exhaustive()
    }
}
