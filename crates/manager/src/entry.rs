use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, task::Poll, thread, time::Duration};

use futures::FutureExt;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Error, Runnable, Scope};

/// So often it is said who keeps others waiting.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// A runnable that was added, and how far it is.
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(crate) runnable: Arc<dyn Runnable>,
    /// Its start was polled once.
    begun: CancellationToken,
    /// Its warm-up has returned.
    pub(crate) warm: CancellationToken,
    pub(crate) failures: mpsc::UnboundedSender<Error>,
}

type Outcome = thread::Result<Result<(), BoxError>>;

impl Entry {
    pub(crate) fn new(
        runnable: Arc<dyn Runnable>,
        failures: mpsc::UnboundedSender<Error>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: runnable.name().into(),
            runnable,
            begun: CancellationToken::new(),
            warm: CancellationToken::new(),
            failures,
        })
    }

    /// Runs it, and reports a failure.
    pub(crate) async fn start(&self, scope: Scope) {
        let asked = scope.clone();
        // The call itself may panic, too.
        let start = AssertUnwindSafe(async { self.runnable.start(scope).await }).catch_unwind();
        let mut start = pin!(start);
        let first = futures::poll!(start.as_mut());
        self.begun.cancel();
        let outcome = match first {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => start.await,
        };
        // A ghost whose write was refused may hear that before it was asked to stop.
        let over = asked.is_stopping() || asked.leading().is_ok_and(|lead| !lead.is_current());
        let name = &self.name;
        match outcome {
            Ok(Err(error)) if over => {
                tracing::warn!(target: "leasehold::manager", %name, %error, "failed as it stopped");
            }
            outcome => {
                self.judge(outcome, |name, source| Error::Failed { name, source });
            }
        }
    }

    /// Warms it up, and reports a failure.
    pub(crate) async fn warm_up(&self, scope: Scope) {
        let asked = scope.clone();
        let warm_up = AssertUnwindSafe(async { self.runnable.warm_up(scope).await }).catch_unwind();
        let outcome = self.attended("not warm yet: its lease is not stood for", warm_up).await;
        // Asked to stop, it need not be warm, nor say so.
        if asked.is_stopping() && outcome.is_ok() {
            return;
        }
        if self.judge(outcome, |name, source| Error::WarmUp { name, source }) {
            self.warm.cancel();
        }
    }

    /// Ends when it has begun, and can be relied upon.
    pub(crate) async fn synced(self: Arc<Self>) {
        self.begun.cancelled().await;
        let synced = AssertUnwindSafe(async { self.runnable.synced().await }).catch_unwind();
        let synced = self.attended("not synced yet: the groups after it wait", synced).await;
        if !self.judge(synced.map(Ok), |name, source| Error::Failed { name, source }) {
            // The manager stops.
            std::future::pending::<()>().await;
        }
    }

    /// Says now and then that this is waited for.
    async fn attended<T>(&self, waits: &str, done: impl Future<Output = T> + Send) -> T {
        let (name, mut done) = (&self.name, pin!(done));
        loop {
            match timeout(SAID_EVERY, done.as_mut()).await {
                Ok(done) => return done,
                Err(_) => tracing::warn!(target: "leasehold::manager", %name, "{waits}"),
            }
        }
    }

    fn judge(&self, outcome: Outcome, failed: impl FnOnce(Arc<str>, BoxError) -> Error) -> bool {
        let name = self.name.clone();
        let failure = match outcome {
            Ok(Ok(())) => return true,
            Ok(Err(source)) => failed(name, source),
            Err(panic) => Error::panicked(name, &*panic),
        };
        tracing::error!(target: "leasehold::manager", error = %failure, "the manager is to stop");
        // Nobody hears it when the manager is gone.
        let _ = self.failures.send(failure);
        false
    }
}
