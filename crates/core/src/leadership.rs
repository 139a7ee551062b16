use std::{future::Future, ops::Deref, sync::Arc, time::Duration};

use crate::{
    End, Leading,
    time::term::{Overrun, Term},
};

/// The guard of a term: whoever holds it leads, while [`is_current`](Leading::is_current).
///
/// Dropping it ends the term at once and gives the lease back in the background, after the tasks
/// that were spawned through it have ended. While it is held after the end of its term (the lease
/// was lost, or lapsed), its elector cannot campaign again: the old work may still be going on.
#[derive(Debug)]
#[must_use = "the term ends when the guard is dropped"]
pub struct Leadership {
    leading: Leading,
}

/// [`is_current`](Leading::is_current), [`token`](Leading::token), [`stopping`](Leading::stopping)
/// and whatever else work may ask.
impl Deref for Leadership {
    type Target = Leading;

    fn deref(&self) -> &Leading {
        &self.leading
    }
}

impl Leadership {
    pub(crate) const fn new(term: Arc<Term>) -> Self {
        Self { leading: Leading::new(term) }
    }

    /// What is handed to work: the same rights, in a form that can be cloned.
    pub fn leading(&self) -> Leading {
        self.leading.clone()
    }

    /// Ends the term and gives the lease back, once the tasks that were spawned through it have
    /// ended. Says whether the store confirmed it; if not, the lease lapses by itself.
    ///
    /// This elector's next campaign stays out until another has led, or for 2.2 times the retry
    /// interval; so it does after the guard was dropped while it led.
    ///
    /// It takes the guard, so that it cannot be called while work still borrows it.
    ///
    /// # Cancel safety
    /// Dropped, it goes on in the background.
    pub async fn resign(self) -> bool {
        let term = self.leading.term.clone();
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
        debug_assert_eq!(
            self.leading.term.overrun,
            Overrun::Abort,
            "work that is held can be dropped"
        );
        let drained = async {
            self.leading.term.stopping().cancelled().await;
            self.leading.term.clock.sleep(drain).await;
        };
        tokio::select! {
            biased;
            () = self.leading.term.ended().cancelled() => None,
            output = work => Some(output),
            () = drained => None,
        }
    }

    pub(crate) fn was_asked_to_stop(&self) -> bool {
        self.leading.term.stopping().is_cancelled()
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        self.leading.term.end(End::Resigned);
        self.leading.term.work.close();
    }
}
