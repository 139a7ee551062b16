use std::{
    fmt,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
};

use futures::FutureExt;
use leasehold_core::Leading;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Error, entry::Entry, running::Running};

/// What a runnable is given: when to stop, where to spawn, and, if it runs on the leader alone, the
/// leadership.
#[derive(Clone)]
pub struct Scope {
    name: Arc<str>,
    /// The tasks that are waited for when it was asked to stop.
    tasks: TaskTracker,
    running: Running,
    /// Where a panic is reported.
    failures: mpsc::UnboundedSender<Error>,
    life: Life,
}

/// What bounds it.
#[derive(Clone)]
enum Life {
    Term(Leading),
    Process(Process),
}

/// The two stages of an end that a process has, too.
#[derive(Clone, Default)]
pub(crate) struct Process {
    pub(crate) stopping: CancellationToken,
    pub(crate) ended: CancellationToken,
}

/// This runs on every copy, so there is no leadership to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is the scope of the process, not of a term: what runs on every copy does not lead")]
pub struct NotLeading;

impl Scope {
    pub(crate) fn of_term(
        entry: &Entry,
        lead: Leading,
        tasks: TaskTracker,
        running: Running,
    ) -> Self {
        Self::new(entry, tasks, running, Life::Term(lead))
    }

    pub(crate) fn of_process(
        entry: &Entry,
        process: Process,
        tasks: TaskTracker,
        running: Running,
    ) -> Self {
        Self::new(entry, tasks, running, Life::Process(process))
    }

    fn new(entry: &Entry, tasks: TaskTracker, running: Running, life: Life) -> Self {
        let (name, failures) = (entry.name.clone(), entry.failures.clone());
        Self { name, tasks, running, failures, life }
    }

    /// The leadership that a leader-only runnable works under: its token, and whether it is current.
    ///
    /// # Errors
    /// [`NotLeading`] in what runs on every copy, and in a warm-up.
    pub const fn leading(&self) -> Result<&Leading, NotLeading> {
        match &self.life {
            Life::Term(lead) => Ok(lead),
            Life::Process(_) => Err(NotLeading),
        }
    }

    /// Ends when the runnable is asked to stop: because the term or the process comes to its end. It has
    /// some time then to end by itself.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn stopping(&self) {
        match &self.life {
            Life::Term(lead) => lead.stopping().await,
            Life::Process(process) => process.stopping.cancelled().await,
        }
    }

    /// Whether it was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping().now_or_never().is_some()
    }

    /// Spawns a task that ends with the runnable's scope: it is waited for when the runnable was asked to
    /// stop, and dropped at its next `await` when the term is over, or the time to stop is. None if it
    /// was dropped.
    ///
    /// If it panics, the manager stops, as with the runnable itself.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let present = self.running.enter(self.name.clone());
        let (name, failures) = (self.name.clone(), self.failures.clone());
        let task = self.tasks.track_future(async move {
            let _present = present;
            AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| {
                // Nobody hears it when the manager is gone.
                let _ = failures.send(Error::panicked(name, &*panic));
                resume_unwind(panic)
            })
        });
        match &self.life {
            Life::Term(lead) => lead.spawn(task),
            Life::Process(process) => {
                let ended = process.ended.clone();
                tokio::spawn(async move { ended.run_until_cancelled_owned(task).await })
            }
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, .. } = self;
        let mut debug = f.debug_struct("Scope");
        debug.field("name", name);
        match self.leading() {
            Ok(lead) => debug.field("lead", lead),
            Err(NotLeading) => debug.field("stopping", &self.is_stopping()),
        };
        debug.finish_non_exhaustive()
    }
}
