use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

use crate::{Scope, entry::Entry, running::Running, scope::Process};

/// What was dropped gets so long to notice.
const DROPPING: Duration = Duration::from_millis(100);

/// With whom a runnable starts and stops that needs no leader election. The words are those of
/// controller-runtime; a group starts once all that the one before it started with have begun and are
/// [`synced`](crate::Runnable::synced).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// First to start and last to stop: they answer for the process all along.
    Servers,
    /// Answer others, who may wait for it.
    Webhooks,
    /// Hold what others read.
    Caches,
    /// Whatever else runs on every copy.
    Others,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Servers, Self::Webhooks, Self::Caches, Self::Others];
}

/// What runs together until it is stopped together.
#[derive(Default)]
pub(crate) struct ProcessGroup {
    process: Process,
    tasks: TaskTracker,
    running: Running,
}

impl ProcessGroup {
    pub(crate) fn start(&self, entry: &Arc<Entry>) {
        self.spawn(entry.clone(), |entry, scope| async move { entry.start(scope).await });
    }

    pub(crate) fn warm_up(&self, entry: &Arc<Entry>) {
        self.spawn(entry.clone(), |entry, scope| async move { entry.warm_up(scope).await });
    }

    fn spawn<F>(&self, entry: Arc<Entry>, task: impl FnOnce(Arc<Entry>, Scope) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { process, tasks, running } = self;
        let scope = Scope::of_process(&entry, process.clone(), tasks.clone(), running.clone());
        scope.spawn(task(entry, scope.clone()));
    }

    /// Asks all to stop, waits for them until the deadline, and drops the rest. Says whom.
    pub(crate) async fn stop(&self, deadline: Instant) -> Vec<Arc<str>> {
        self.process.stopping.cancel();
        self.tasks.close();
        if timeout_at(deadline, self.tasks.wait()).await.is_ok() {
            return Vec::new();
        }
        let late = self.running.names();
        self.process.ended.cancel();
        // One that blocks its thread does not notice, and nobody can wait for it.
        let _ = timeout(DROPPING, self.tasks.wait()).await;
        late
    }
}

/// A manager that is dropped takes all with it.
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.process.stopping.cancel();
        self.process.ended.cancel();
    }
}
