use std::{future::Future, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::{End, FencingToken, time::term::Term};

/// What work is given: the right to act while, and only while, its term is current.
///
/// It can be cloned and sent anywhere; it never keeps a term alive.
#[derive(Clone, Debug)]
pub struct Leading {
    pub(crate) term: Arc<Term>,
}

impl Leading {
    pub(crate) const fn new(term: Arc<Term>) -> Self {
        Self { term }
    }

    /// Whether the term is current at this moment. No I/O and no lock: two reads of the clock. (Who
    /// is the first to find that it is over ends it for all others, too.)
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
        self.term.reason()
    }

    /// Runs work that blocks on a thread where it may. It cannot be dropped, so the lease is not given
    /// back before it has ended; let it ask [`is_current`](Self::is_current) between its steps. Under
    /// [`Elector::run`](crate::Elector::run) the process is aborted if it outlives the term.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let term = self.term.clone();
        self.term.work.spawn_blocking(move || {
            let done = work();
            drop(term);
            done
        })
    }

    /// Spawns a task that ends with the term: it is dropped at its next `await` when the term is
    /// over, and the lease is not given back before it has ended. None if it was dropped.
    ///
    /// What is spawned otherwise (`tokio::spawn`, `spawn_blocking`, `tokio::fs`) is not waited for,
    /// and goes on beside a successor.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let term = self.term.clone();
        self.term.work.spawn(async move {
            tokio::select! {
                biased;
                () = term.ended().cancelled() => None,
                output = task => Some(output),
            }
        })
    }
}
