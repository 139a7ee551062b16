use std::{sync::Arc, time::Instant};

use crate::FencingToken;

/// What an elector knows of its election, for those who do not lead, and for health checks.
///
/// A stale name is never repeated as if it were news: when the store does not answer, the status
/// says so, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Not a candidate at present.
    Idle,
    /// A candidate that waits.
    Following {
        /// Who leads, by name; none while nobody is known to.
        leader: Option<Arc<str>>,
    },
    /// Leads.
    Leading {
        /// The token of the term.
        token: FencingToken,
    },
    /// Leads, and was told to stop; or has stopped and gives the lease back.
    Stopping {
        /// The token of the term.
        token: FencingToken,
    },
    /// A candidate whose store does not answer.
    Unknown {
        /// When the store last answered; when the campaign began if it never did.
        since: Instant,
        /// What it said, or did not say, last.
        why: Arc<str>,
    },
}

impl Status {
    /// Whether this candidate leads and was not told to stop. For display: work asks
    /// [`Leading::is_current`](crate::Leading::is_current).
    pub const fn is_leading(&self) -> bool {
        matches!(self, Self::Leading { .. })
    }
}
