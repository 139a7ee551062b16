use std::{future::Future, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::{FencingToken, kernel::End, time::term::Term};

/// What work is given: the right to act while, and only while, its term is current.
///
/// It can be cloned and sent anywhere; it never keeps a term alive.
#[derive(Clone, Debug)]
pub struct Leading {
    term: Arc<Term>,
}

impl Leading {
    pub(crate) const fn new(term: Arc<Term>) -> Self {
        Self { term }
    }

    /// Whether the term is current at this moment. No I/O and no lock: two reads of the clock.
    ///
    /// Once false, it is false for ever. It says nothing of the moment after: what must not be
    /// done late carries the [`token`](Self::token) to a [`Fence`](crate::Fence).
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

    /// Ends when the work is asked to stop: the drain time begins. What the work still does is
    /// allowed while [`is_current`](Self::is_current).
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn stopping(&self) {
        self.term.stopping().cancelled().await;
    }

    /// Ends when the term is over: nothing may be done in its name any more.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn ended(&self) {
        self.term.ended().cancelled().await;
    }

    /// Why the term ended, once it has.
    pub fn end(&self) -> Option<End> {
        self.term.why()
    }

    /// Spawns a task that ends with the term: it is dropped at its next `await` when the term is
    /// over, and the lease is not given back before it has ended. None if it was dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let ended = self.term.ended().clone();
        self.term.work.spawn(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => None,
                output = task => Some(output),
            }
        })
    }
}
