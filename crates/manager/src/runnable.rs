use std::{any, borrow::Cow};

use async_trait::async_trait;
use leasehold_core::Leading;

use crate::{BoxError, Group, Scope};

/// What a [`Manager`](crate::Manager) runs.
///
/// It needs leader election unless it says otherwise: who forgets to say so has work that is done
/// once, and not three times.
///
/// A closure from [`Leading`] to a future is a runnable that needs leader election; [`Func`](crate::Func)
/// makes others of closures.
#[async_trait]
pub trait Runnable: Send + Sync + 'static {
    /// What it is called in logs and errors.
    fn name(&self) -> Cow<'_, str>;

    /// Whether it may run on the leader alone.
    fn needs_leader_election(&self) -> bool {
        true
    }

    /// With whom it starts and stops, if it needs no leader election.
    fn group(&self) -> Group {
        Group::Others
    }

    /// Runs until it is done, or was asked to stop ([`Scope::stopping`]). What it returns means is said
    /// at the [crate](crate).
    ///
    /// One that needs leader election is given the scope of its term, never the process's:
    /// [`Scope::leading`] has the token and the right to act. It is called anew in each term, and never
    /// before the call of the last term has ended.
    ///
    /// # Errors
    /// Whatever keeps it from going on.
    ///
    /// # Cancel safety
    /// The future is dropped, at an `await`, when its term is over, or when it was asked to stop and has
    /// not.
    async fn start(&self, scope: Scope) -> Result<(), BoxError>;

    /// Ends when it can be relied upon; the next group starts no earlier. At once, unless it is said
    /// otherwise. It is not asked of those that need leader election.
    async fn synced(&self) {}

    /// Fills caches and queues before leadership comes, for one that needs leader election. Called once
    /// in the life of the process, on standbys too. The lease is stood for once it has returned: what
    /// goes on afterwards it gives to [`Scope::spawn`].
    ///
    /// The scope is the process's: nothing may be done here that only the leader may do.
    ///
    /// # Errors
    /// Whatever keeps it from being warm: the manager stops.
    async fn warm_up(&self, scope: Scope) -> Result<(), BoxError> {
        let _ = scope;
        Ok(())
    }
}

/// Named after the function that it is written in: [`Func`](crate::Func) is for more than one of them.
#[async_trait]
impl<W, F> Runnable for W
where
    W: Fn(Leading) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    fn name(&self) -> Cow<'_, str> {
        let whole = any::type_name::<W>();
        let function = whole.trim_end_matches("::{{closure}}");
        function.rsplit("::").next().unwrap_or(whole).into()
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        let lead = scope.leading()?.clone();
        self(lead).await
    }
}
