use std::{future::Future, sync::Arc, time::Duration};

use crate::{
    FencingToken, Leading,
    kernel::End,
    time::term::{Overrun, Term},
};

/// The guard of a term: whoever holds it leads, while [`is_current`](Self::is_current).
///
/// Dropping it ends the term at once and gives the lease back in the background, after the tasks
/// that were spawned through it have ended. While it is held after the end of its term (the lease
/// was lost, or lapsed), its elector cannot campaign again: the old work may still be going on.
#[derive(Debug)]
#[must_use = "the term ends when the guard is dropped"]
pub struct Leadership {
    term: Arc<Term>,
}

impl Leadership {
    pub(crate) const fn new(term: Arc<Term>) -> Self {
        Self { term }
    }

    /// What is handed to work: the same rights, in a form that can be cloned.
    pub fn leading(&self) -> Leading {
        Leading::new(self.term.clone())
    }

    /// Whether the term is current at this moment: see [`Leading::is_current`].
    pub fn is_current(&self) -> bool {
        self.term.is_current()
    }

    /// The fencing token of this term.
    pub fn token(&self) -> FencingToken {
        self.term.token
    }

    /// How long this process may still act if no renewal succeeds any more.
    pub fn remaining(&self) -> Duration {
        self.term.remaining()
    }

    /// Ends when the work is asked to stop: the drain time begins.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn stopping(&self) {
        self.term.stopping().cancelled().await;
    }

    /// Ends the term and gives the lease back, once the tasks that were spawned through it have
    /// ended. Says whether the store confirmed it; if not, the lease lapses by itself.
    ///
    /// It takes the guard, so that it cannot be called while work still borrows it.
    ///
    /// # Cancel safety
    /// Dropped, it goes on in the background.
    pub async fn resign(self) -> bool {
        let term = self.term.clone();
        drop(self);
        term.finished().await
    }

    /// Polls work while the term lasts, and drops it when the term ends, or when it was asked to
    /// stop and has not within the limit.
    pub(crate) async fn hold<W: Future + Send>(
        &self,
        work: W,
        drain: Duration,
    ) -> Option<W::Output> {
        debug_assert_eq!(self.term.overrun, Overrun::Abort, "work that is held can be dropped");
        let drained = async {
            self.term.stopping().cancelled().await;
            self.term.clock.sleep(drain).await;
        };
        tokio::select! {
            biased;
            () = self.term.ended().cancelled() => None,
            output = work => Some(output),
            () = drained => None,
        }
    }

    pub(crate) fn was_asked_to_stop(&self) -> bool {
        self.term.stopping().is_cancelled()
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        self.term.end(End::Resigned);
        self.term.work.close();
    }
}
