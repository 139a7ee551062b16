use std::sync::atomic::{AtomicU64, Ordering};

use crate::FencingToken;

/// The resource's side of fencing: refuses whoever acts under an older term than the newest seen.
///
/// No lease can keep a leader from acting a moment too late: its check and its act are two steps,
/// and a stopped machine acts when it wakes. The resource can, if every act carries the token of
/// its term. A new leader shows its token here *before* it works: from then on no older one passes.
///
/// ```
/// use leasehold_core::{Fence, FencingToken};
///
/// let fence = Fence::default();
/// let (old, new) = (FencingToken::new(7).unwrap(), FencingToken::new(8).unwrap());
/// assert!(fence.admit(old).is_ok());
/// assert!(fence.admit(new).is_ok());
/// assert_eq!(fence.admit(old).unwrap_err().newest, new);
/// ```
#[derive(Debug, Default)]
pub struct Fence {
    newest: AtomicU64,
}

/// A token was refused: its term has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token {refused} is refused: {newest} was seen, so that term has ended")]
pub struct Stale {
    /// The token that was shown.
    pub refused: FencingToken,
    /// The newest that was seen.
    pub newest: FencingToken,
}

impl Fence {
    /// A fence that remembers the newest token from before: what was stored beside the data.
    pub const fn starting_at(newest: FencingToken) -> Self {
        Self { newest: AtomicU64::new(newest.number()) }
    }

    /// Lets a token pass unless a newer one was seen.
    ///
    /// What follows must be one step with this check where it matters: hold the lock that guards
    /// the data around both, or let the store compare the token itself.
    ///
    /// # Errors
    /// [`Stale`] if a newer token was seen.
    pub fn admit(&self, token: FencingToken) -> Result<(), Stale> {
        let newest = self.newest.fetch_max(token.number(), Ordering::AcqRel);
        match FencingToken::new(newest) {
            Some(newest) if newest > token => Err(Stale { refused: token, newest }),
            _ => Ok(()),
        }
    }
}
