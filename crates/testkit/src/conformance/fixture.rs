use std::{fmt, sync::Arc};

use async_trait::async_trait;
use leasehold_core::LeaseLock;

use super::garbage::Garbage;

/// One lease in one store, for one test: never written before, and not used by another test.
///
/// What it does to the lease it does behind the backend's back, as an operator, another program or
/// a fault would: with the store's own tools, not with the backend's code.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Another handle on the lease, as far from the others as it can be: a connection of its own.
    async fn lock(&self) -> Arc<dyn LeaseLock>;

    /// A handle on another lease of the same store: always on the same one.
    async fn other_lock(&self) -> Arc<dyn LeaseLock>;

    /// The name of the lease, as [`LeaseLock::describe`] is to show it.
    fn lease_name(&self) -> String;

    /// What must not be shown by any description: passwords, tokens. Empty where there are none.
    fn secrets(&self) -> Vec<String>;

    /// Whether the store's atomic step compares the era. Where it does not, a swap over another
    /// era may be written, and then has to show the era that it was written in.
    fn compares_era(&self) -> bool;

    /// Whether a token above the version of its record is shown as it was written. It never is above
    /// in an election, unless the store went back; a store that vouches for its versions, and keeps
    /// tokens where anybody can write, may disbelieve it.
    fn believes_tokens_above_versions(&self) -> bool {
        true
    }

    /// Deletes the record.
    async fn delete(&self);

    /// Puts something else in the place of the record, of which nothing is left.
    ///
    /// It replaces, as a program would that knows nothing of this library: whatever the store
    /// itself counts (a revision, an inode) it counts on.
    async fn garble(&self, garbage: Garbage) -> Feat;

    /// Makes the store another one with the same contents, as a restart, a failover or a restore
    /// does: the era changes, the record stays.
    async fn renew_era(&self) -> Feat;

    /// Makes the store lose its memory of this lease, and of the versions that it had.
    async fn forget(&self) -> Feat;

    /// Writes to where the lease is kept, and leaves the record alone: a label, a field of
    /// somebody else's.
    async fn touch(&self) -> Feat;
}

/// Whether a fixture could do to its store what a test wants to see the consequences of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Feat {
    /// It is done.
    Done,
    /// It cannot happen to this store, and this is why.
    Impossible(&'static str),
}

impl Feat {
    /// Whether it is done. If not, says why, so that no test passes for nothing unseen.
    pub(super) fn is_done(self, what: impl fmt::Display) -> bool {
        match self {
            Self::Done => true,
            Self::Impossible(why) => {
                println!("not applicable: {what}: {why}");
                false
            }
        }
    }
}
