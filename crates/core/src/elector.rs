use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Candidate, Clock, Error, ErrorKind, HostClock, Leadership, Leading, LeaseLock, Status,
    StatusWatch, Timing,
    driver::{Campaign, Command, Driver, Setup},
    time::{term::Overrun, warden::Warden},
};

/// One candidate for one lease.
///
/// One task per elector talks to the store; it is spawned at the first campaign and lives until
/// the elector and its guards are dropped. No trouble of the store ends it: after the store has
/// answered once, an error is a [`Status`].
///
/// ```
/// use leasehold_core::{Candidate, Elector, Error, LeaseName, MemoryStore, create_free};
/// use tokio_util::sync::CancellationToken;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let lock = MemoryStore::new().lock(LeaseName::new("jobs")?);
/// create_free(&lock).await?; // once, at the first roll-out
///
/// let elector = Elector::new(lock, Candidate::new("pod-a")?);
/// elector
///     .run(CancellationToken::new(), |lead| async move {
///         assert!(lead.is_current());
///         Ok::<_, Error>(())
///     })
///     .await
/// # }
/// ```
#[derive(Debug)]
pub struct Elector {
    lock: Arc<dyn LeaseLock>,
    candidate: Candidate,
    timing: Timing,
    drain: Option<Duration>,
    clock: Arc<dyn Clock>,
    warden: Warden,
    status: watch::Sender<Status>,
    driver: OnceLock<mpsc::UnboundedSender<Command>>,
}

impl Elector {
    /// A candidate for the lease of a lock, with the default [`Timing`].
    pub fn new(lock: impl LeaseLock, candidate: Candidate) -> Self {
        Self {
            lock: Arc::new(lock),
            candidate,
            timing: Timing::default(),
            drain: None,
            clock: Arc::new(HostClock),
            warden: Warden::Thread,
            status: watch::Sender::new(Status::Idle),
            driver: OnceLock::new(),
        }
    }

    /// Sets the durations of the election.
    #[must_use]
    pub const fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets how long a term is renewed for the sake of work that was asked to stop; a lease
    /// duration unless set. Under [`run`](Self::run) the work is dropped then.
    #[must_use]
    pub const fn with_drain_limit(mut self, limit: Duration) -> Self {
        self.drain = Some(limit);
        self
    }

    /// Not for production: lets a simulation tell the time. Its terms are watched by tasks instead of
    /// the warden's thread, which knows no simulated time, so that a blocked runtime keeps them from
    /// ending.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self.warden = Warden::Task;
        self
    }

    /// The durations of the election.
    pub const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Waits until this candidate leads.
    ///
    /// When `shutdown` is cancelled the campaign ends with [`ErrorKind::Cancelled`], and a term
    /// that it led to is asked to stop. It ends once a lease that was won at that very moment has been
    /// given back, for the process may end with it; a store that does not answer is asked for it twice.
    ///
    /// # Errors
    /// * [`ErrorKind::Cancelled`]: `shutdown` was cancelled before the lease was won;
    /// * [`ErrorKind::Busy`]: this elector campaigns or leads already;
    /// * [`ErrorKind::Invalid`]: the timing is not one that the backend allows;
    /// * [`ErrorKind::Unexpected`]: the system gave no thread to its warden, or the elector's task is
    ///   gone, because its runtime has ended or the backend has panicked;
    /// * any other, only if the store has never answered this elector; that it did not answer in
    ///   time, only the third time.
    ///
    /// # Cancel safety
    /// Dropped, the campaign is withdrawn, and a lease won meanwhile is given back.
    ///
    /// # Panics
    /// Outside of a tokio runtime, at the first campaign. The runtime needs timers.
    pub async fn campaign(&self, shutdown: &CancellationToken) -> Result<Leadership, Error> {
        self.enter(shutdown, Overrun::Tell).await
    }

    /// Runs work while, and only while, this candidate leads, until it is done or `shutdown` is
    /// cancelled.
    ///
    /// * The work's `Ok` resigns and ends `run`; its `Err` resigns and is returned.
    /// * When the work is asked to stop ([`Leading::stopping`]) it has the drain limit to end,
    ///   then it is dropped. What it returns after it was asked does not end `run` unless it is
    ///   an `Err`: after a shutdown `run` ends, after a step-down it campaigns again.
    /// * When the term is over the work is dropped at once, and after it has ended `run`
    ///   campaigns again and calls `work` anew, with a new token.
    ///
    /// Work that cannot be dropped, for it blocks its thread or `run` is not polled, and that goes on
    /// after the end of the term's validity, or of a lease that was lost, **aborts the process**:
    /// the alternative is two leaders. So spawn `run`, or poll it all the time: in a `select!` no
    /// other branch may await while it is held. What blocks belongs into
    /// [`Leading::spawn_blocking`]; what the work spawns otherwise is not waited for.
    ///
    /// One who has led and resigned stays out of the next election until another has led, or for
    /// 2.2 times the retry interval, also if it calls `run` again.
    ///
    /// # Errors
    /// The work's own, and those of [`campaign`](Self::campaign) but `Cancelled`, which is an
    /// expected end.
    ///
    /// # Cancel safety
    /// Dropped, the work is dropped, the term ends, and the lease is given back in the background.
    ///
    /// # Panics
    /// As [`campaign`](Self::campaign).
    pub async fn run<W, F, E>(&self, shutdown: CancellationToken, mut work: W) -> Result<(), E>
    where
        W: FnMut(Leading) -> F + Send,
        F: Future<Output = Result<(), E>> + Send,
        E: From<Error> + Send,
    {
        loop {
            let leadership = match self.enter(&shutdown, Overrun::Abort).await {
                Ok(leadership) => leadership,
                Err(error) if error.kind() == ErrorKind::Cancelled => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let done = leadership.hold(work(leadership.leading()), self.drain_limit()).await;
            let asked = leadership.was_asked_to_stop();
            leadership.resign().await;
            match done {
                Some(Err(error)) => return Err(error),
                Some(Ok(())) if !asked => return Ok(()),
                _ if shutdown.is_cancelled() => return Ok(()),
                _ => {}
            }
        }
    }

    /// Asks the present term to stop, waits until its work has ended, and says whether the lease was
    /// given back: not if this elector does not lead, and not if the store did not confirm it. Not to
    /// be awaited by the work itself, nor by the task that polls [`run`](Self::run): they are what it
    /// waits for.
    ///
    /// Its next campaign stays out until another has led, or for 2.2 times the retry interval: a
    /// successor is meant to have it.
    ///
    /// # Cancel safety
    /// Dropped, the term still stops.
    pub async fn step_down(&self) -> bool {
        let Some(driver) = self.driver.get() else { return false };
        let (reply, stepped_down) = oneshot::channel();
        driver.send(Command::StepDown(reply)).is_ok() && stepped_down.await.unwrap_or(false)
    }

    /// What is known of the election, now and at each change.
    pub fn status(&self) -> StatusWatch {
        let mut status = self.status.subscribe();
        status.mark_changed();
        StatusWatch::new(status)
    }

    fn drain_limit(&self) -> Duration {
        self.drain.unwrap_or(self.timing.lease_duration())
    }

    async fn enter(
        &self,
        shutdown: &CancellationToken,
        overrun: Overrun,
    ) -> Result<Leadership, Error> {
        let refuse = |kind, why: String| {
            Err(Error::new(kind, format!("campaign for {}", self.lock.describe()), why))
        };
        if let Some(why) = self.lock.guarantees().objection(&self.timing) {
            return refuse(ErrorKind::Invalid, why);
        }
        if let Err(error) = self.warden.prepare() {
            return refuse(ErrorKind::Unexpected, format!("no thread for its warden: {error}"));
        }
        let driver = self.driver.get_or_init(|| {
            let (sender, commands) = mpsc::unbounded_channel();
            let driver = Driver::new(Setup {
                lock: self.lock.clone(),
                candidate: self.candidate.clone(),
                timing: self.timing,
                drain: self.drain_limit(),
                clock: self.clock.clone(),
                warden: self.warden,
                status: self.status.clone(),
            });
            tokio::spawn(driver.drive(commands));
            sender
        });
        let (reply, result) = oneshot::channel();
        let campaign = Campaign { reply, shutdown: shutdown.clone(), overrun };
        let gone = || "the elector's task is gone: its runtime has ended".to_owned();
        if driver.send(Command::Campaign(campaign)).is_err() {
            return refuse(ErrorKind::Unexpected, gone());
        }
        match result.await {
            Ok(Err(error)) if error.kind() == ErrorKind::Cancelled => {
                let (reply, settled) = oneshot::channel();
                if driver.send(Command::Settle(reply)).is_ok() {
                    // Without an answer there is nothing to wait for.
                    let _ = settled.await;
                }
                Err(error)
            }
            Ok(result) => result,
            Err(_) => refuse(ErrorKind::Unexpected, gone()),
        }
    }
}
