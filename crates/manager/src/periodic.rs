use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use leasehold_core::Leading;
use tokio::time;

use crate::{BoxError, Error, Runnable, Scope};

type Work = dyn Fn(Leading) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;
type LastDone = dyn Fn() -> BoxFuture<'static, Result<Option<SystemTime>, BoxError>> + Send + Sync;

/// Work that the leader does again and again: when it has become the leader, and then at its interval.
///
/// A new leader does not know what the last one has done, unless the work's own store knows:
/// [`with_last_done`](Self::with_last_done) reads it there, and then a change of leader neither skips a
/// run nor doubles it. Without it each new leader begins with a run.
///
/// A run that fails, or takes too long, is logged and tried again after a tenth of the interval; it does
/// not stop the manager, for the next run is its remedy. A run that panics does.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use leasehold_manager::Periodic;
///
/// # fn main() -> Result<(), leasehold_manager::Error> {
/// let day = Duration::from_secs(24 * 60 * 60);
/// let rotation = Periodic::new("rotation", day, |lead| async move {
///     println!("rotating, with token {}", lead.token());
///     Ok(())
/// })?
/// .with_time_limit(Duration::from_secs(60))?
/// .with_last_done(|| async { Ok(Some(SystemTime::UNIX_EPOCH)) });
/// # drop(rotation);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Periodic {
    name: Arc<str>,
    interval: Duration,
    jitter: f64,
    limit: Option<Duration>,
    run: Arc<Work>,
    last_done: Option<Arc<LastDone>>,
}

impl Periodic {
    /// Work at an interval, which counts from the beginning of a run.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an interval of zero.
    pub fn new<W, F>(name: impl Into<Arc<str>>, interval: Duration, run: W) -> Result<Self, Error>
    where
        W: Fn(Leading) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let name = name.into();
        if interval.is_zero() {
            return Err(Error::Invalid(format!(
                "the interval of {name:?} is 0: it must be longer"
            )));
        }
        let run = Arc::new(move |lead| run(lead).boxed());
        Ok(Self { name, interval, jitter: 0.1, limit: None, run, last_done: None })
    }

    /// Sets by which share of the interval a run comes later than it, at random, so that what many do
    /// is not done at once; a tenth unless set.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a share that is not from 0 to 1.
    pub fn with_jitter(mut self, share: f64) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&share) {
            let name = &self.name;
            return Err(Error::Invalid(format!(
                "the jitter of {name:?} is {share}: it must be from 0 to 1"
            )));
        }
        self.jitter = share;
        Ok(self)
    }

    /// Sets how long a run may take, with the question when it was last done, before it is dropped; it
    /// may take any time unless this is set.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of zero.
    pub fn with_time_limit(mut self, limit: Duration) -> Result<Self, Error> {
        if limit.is_zero() {
            let name = &self.name;
            return Err(Error::Invalid(format!(
                "the time limit of {name:?} is 0: it must be longer"
            )));
        }
        self.limit = Some(limit);
        Ok(self)
    }

    /// Sets where it can be read when the work was last done, by whomever: none if never. It is asked
    /// before each run, which is due an interval (and its jitter) after that. What is read is a time of
    /// the wall clocks of several machines: a run may come too early or too late by what they differ. A
    /// time that is further ahead than the interval is of no clock that is right: a run is due then, and a
    /// warning says so.
    #[must_use]
    pub fn with_last_done<W, F>(mut self, last_done: W) -> Self
    where
        W: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Option<SystemTime>, BoxError>> + Send + 'static,
    {
        self.last_done = Some(Arc::new(move || last_done().boxed()));
        self
    }

    /// How long until the next run, where the last one was so long ago.
    fn due_in(&self, ago: Duration) -> Duration {
        let jitter = self.interval.as_secs_f64() * self.jitter * rand::random::<f64>();
        // An interval without an end has none with jitter either.
        let jitter = Duration::try_from_secs_f64(jitter).unwrap_or(Duration::MAX);
        self.interval.saturating_add(jitter).saturating_sub(ago)
    }

    /// Runs once, if it is due, and says how long to wait then.
    async fn turn(&self, lead: &Leading) -> Result<Duration, BoxError> {
        if let Some(last_done) = &self.last_done
            && let Some(last) = last_done().await?
        {
            match last.elapsed() {
                Ok(ago) if ago < self.interval => return Ok(self.due_in(ago)),
                Ok(_) => {}
                // By a clock that is ahead: it was done just now.
                Err(ahead) if ahead.duration() <= self.interval => {
                    return Ok(self.due_in(Duration::ZERO));
                }
                Err(ahead) => {
                    let (name, ahead) = (&self.name, ahead.duration());
                    tracing::warn!(
                        target: "leasehold::manager", %name, ?ahead,
                        "last done in the future, by more than its interval: a run is due"
                    );
                }
            }
        }
        let began = time::Instant::now();
        (self.run)(lead.clone()).await?;
        Ok(self.due_in(began.elapsed()))
    }

    async fn turn_within_limit(&self, lead: &Leading) -> Result<Duration, BoxError> {
        let Some(limit) = self.limit else { return self.turn(lead).await };
        match time::timeout(limit, self.turn(lead)).await {
            Ok(done) => done,
            Err(_) => Err(format!("dropped after its time limit, {limit:?}").into()),
        }
    }
}

#[async_trait]
impl Runnable for Periodic {
    fn name(&self) -> Cow<'_, str> {
        (&*self.name).into()
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        let lead = scope.leading()?;
        loop {
            // A run that has begun is let go on when it is to stop, for as long as it may.
            let pause = self.turn_within_limit(lead).await.unwrap_or_else(|error| {
                let Self { name, .. } = self;
                tracing::error!(target: "leasehold::manager", %name, %error, "a run has failed");
                self.interval / 10
            });
            tokio::select! {
                biased;
                () = scope.stopping() => return Ok(()),
                () = time::sleep(pause) => {}
            }
        }
    }
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, interval, jitter, limit, .. } = self;
        f.debug_struct("Periodic")
            .field("name", name)
            .field("interval", interval)
            .field("jitter", jitter)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}
