use std::time::Duration;

use crate::{FencingToken, Moment, Observation, Record, Swap, Timing};

/// What can happen to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The user wants to lead.
    Campaign,
    /// The user does not want to lead any more, and does not lead yet.
    Withdraw,
    /// The present term has been told to stop: by its user, or because it was not renewed in time.
    Resign,
    /// The present term's validity was found to have ended, by whoever looked first.
    Lapsed,
    /// All work of the present term has ended: only now may the lease be given back.
    WorkEnded,
    /// The store's answer to the request that is under way, or that there is none.
    Answer(Answer),
    /// What the watch shows.
    Hint(Observation),
    /// The watch shows nothing: look for yourself.
    Poll,
    /// Time has passed.
    Timer,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// An observation was answered.
    Observed(Observation),
    /// A swap was answered.
    Swapped(Swap),
    /// There is no answer, and there will be none: a swap may be applied, now or later.
    Unknown,
}

/// What the store is to be asked. One request is under way at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
pub enum Request {
    /// [`LeaseLock::observe`](crate::LeaseLock::observe).
    Observe,
    /// [`LeaseLock::swap`](crate::LeaseLock::swap).
    Swap {
        /// What is to be replaced.
        expected: Observation,
        /// By what.
        record: Record,
    },
}

/// Why a term ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It was given up: resigned, stepped down, dropped, or its work was done.
    Resigned,
    /// The store shows that the lease is not ours any more.
    Lost,
    /// No renewal was confirmed in time.
    Lapsed,
}

impl End {
    /// As one word, for logs: `resigned`, `lost`, `lapsed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resigned => "resigned",
            Self::Lost => "lost",
            Self::Lapsed => "lapsed",
        }
    }
}

/// Where a candidate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Not a candidate at present.
    Idle,
    /// A candidate that waits, or whose claim is not answered yet.
    Standby,
    /// Leads.
    Leading {
        /// The token of the term.
        token: FencingToken,
        /// The instant before the confirmed write was sent: validity counts from here.
        sent: Moment,
    },
    /// Leads, goes on renewing, and waits for its work to end.
    Draining {
        /// The token of the term.
        token: FencingToken,
        /// As in `Leading`.
        sent: Moment,
        /// What began the drain: [`End::Resigned`], or [`End::Lapsed`] where no renewal came through.
        why: End,
    },
    /// Leads no more, but the work has not ended yet.
    Ended(End),
    /// The work has ended, and the lease is being given back.
    Releasing,
}

/// The durations of an election, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// How long a standby waits for a holder.
    pub lease: u64,
    /// How long a holder believes in its term.
    pub validity: u64,
    /// When a holder that is not confirmed tells its work to stop.
    pub deadline: u64,
    /// The pause between renewals, and between attempts.
    pub retry: u64,
    /// How long a term that was told to stop is renewed for the sake of its work.
    pub drain: u64,
    /// How far claims are spread after one was lost.
    pub spread: u64,
}

impl Bounds {
    /// Claims are spread by as much as five milliseconds once one was lost.
    const SPREAD: Duration = Duration::from_millis(5);

    /// The bounds of a timing, with a limit to how long work may drain.
    pub fn new(timing: &Timing, drain: Duration) -> Self {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self {
            lease: nanos(timing.lease_duration()),
            validity: nanos(timing.holder_duration()),
            deadline: nanos(timing.renew_deadline()),
            retry: nanos(timing.retry_interval()),
            drain: nanos(drain),
            spread: nanos(Self::SPREAD),
        }
    }

    /// How long one who stepped down stays out, unless it sees another term before: 2.2 times the
    /// retry interval, so that a candidate that polls has had its turn.
    pub(super) const fn stay_out(&self) -> u64 {
        self.retry.saturating_mul(11) / 5
    }
}
