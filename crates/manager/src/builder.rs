use std::{sync::Arc, time::Duration};

use leasehold_core::{Candidate, Elector, LeaseLock, Timing};

use crate::{
    Error, Manager,
    manager::Parts,
    run::STOP_SHARE,
    spread::{Spread, Yielding},
    standby::Standby,
};

/// What the loss of a lease means for the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// Its leader-only runnables have stopped, all else goes on, and the process stands again.
    #[default]
    StandAgain,
    /// The manager stops with [`Error::Lost`], as controller-runtime's does. So it does when the lease
    /// was not lost but given up: for another who is preferred, for one in line
    /// ([`Builder::with_standby_lease`]), or by [`Manager::step_down`].
    Exit,
}

/// What a [`Manager`] is made of.
#[derive(Debug)]
#[must_use = "nothing is made before `build`"]
pub struct Builder {
    candidate: String,
    timing: Timing,
    leases: Vec<(Arc<str>, Arc<dyn LeaseLock>)>,
    standby: Option<Arc<dyn LeaseLock>>,
    on_loss: OnLoss,
    graceful_stop: Duration,
}

impl Builder {
    /// controller-runtime's.
    const GRACEFUL_STOP: Duration = Duration::from_secs(30);

    pub(crate) fn new(candidate: String) -> Self {
        Self {
            candidate,
            timing: Timing::default(),
            leases: Vec::new(),
            standby: None,
            on_loss: OnLoss::default(),
            graceful_stop: Self::GRACEFUL_STOP,
        }
    }

    /// Adds a lease, by a name for [`Manager::add_to`], for logs and for [`Elected`](crate::Elected).
    ///
    /// With several leases, each that this process leads holds it back by 50 ms from taking another one
    /// that is free: who leads fewer comes first. So leases that become free while others stand by are
    /// spread over those. Nobody gives up a lease for it: see [`with_standby_lease`](Self::with_standby_lease).
    pub fn with_lease(mut self, name: impl Into<Arc<str>>, lock: impl LeaseLock) -> Self {
        self.leases.push((name.into(), Arc::new(lock)));
        self
    }

    /// Has leases given up to processes that lead none. It needs one more lease, in the same store, that
    /// nothing is added to: a process that leads nothing stands for it, and who holds it is the next in
    /// line. A process that leads two leases or more reads it at each retry interval, sees that there is
    /// one, and alive, and gives up what it has gained last.
    ///
    /// So while a process stands by that leads nothing, no other goes on leading several: the first of a
    /// roll-out keeps one lease for itself and leaves the others, one by one, to those who come after it.
    /// It moves no lease between processes that lead some already. All who share it are to stand for the
    /// same leases: who is given one that it does not stand for is given no other.
    pub fn with_standby_lease(mut self, lock: impl LeaseLock) -> Self {
        self.standby = Some(Arc::new(lock));
        self
    }

    /// Sets the durations of all elections.
    pub const fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets how long a stop may take in all; 30 s unless set. Leader-only runnables are dropped after
    /// three quarters of it, so that time is left to give the lease back and to stop the others: each
    /// group has three quarters of what is left then. Leader-only runnables have as much, too, where this
    /// process gives up a lease and lives on.
    pub const fn with_graceful_stop(mut self, limit: Duration) -> Self {
        self.graceful_stop = limit;
        self
    }

    /// Sets what the loss of a lease means.
    pub const fn on_loss(mut self, on_loss: OnLoss) -> Self {
        self.on_loss = on_loss;
        self
    }

    /// A manager in which nothing runs yet.
    ///
    /// # Errors
    /// [`Error::Invalid`]: a name that no candidate can have, a lease of no name, two of one name or that are
    /// [described](LeaseLock::describe) alike, a lease for those who stand by where there is none to lead,
    /// a timing that one of the stores refuses, a graceful stop of no length.
    pub fn build(self) -> Result<Manager, Error> {
        let Self { candidate, timing, leases, standby, on_loss, graceful_stop } = self;
        let invalid = |why: String| Err(Error::Invalid(why));
        let candidate =
            Candidate::new(candidate).map_err(|error| Error::Invalid(error.to_string()))?;
        if graceful_stop.is_zero() {
            return invalid("the graceful stop is 0: nothing could end by itself".to_owned());
        }
        for (at, (name, lock)) in leases.iter().enumerate() {
            if name.is_empty() {
                return invalid(format!("the lease {} has an empty name", lock.describe()));
            }
            if let Some(why) = lock.guarantees().objection(&timing) {
                return invalid(format!("the lease {name:?}: {why}"));
            }
            for (other, same) in &leases[..at] {
                if name == other {
                    return invalid(format!("two leases are called {name:?}: rename one of them"));
                }
                if lock.describe() == same.describe() {
                    let what = lock.describe();
                    return invalid(format!(
                        "{other:?} and {name:?} describe themselves as the same, {what}: only one of \
                         them could be led"
                    ));
                }
            }
        }
        if let Some(lock) = &standby
            && let Some(why) = lock.guarantees().objection(&timing)
        {
            return invalid(format!("the lease of those who stand by: {why}"));
        }
        if let Some(lock) = &standby
            && leases.iter().any(|(_, lease)| lease.describe() == lock.describe())
        {
            return invalid(format!(
                "the lease of those who stand by, {}, is one that is led: it needs one of its own",
                lock.describe()
            ));
        }
        if standby.is_some() && leases.is_empty() {
            return invalid(
                "there is a lease for those who stand by, and none to lead: add one with `with_lease`"
                    .to_owned(),
            );
        }
        let spread = Spread::new();
        let several = leases.len() > 1;
        let elector = |(name, lock): (Arc<str>, Arc<dyn LeaseLock>)| {
            let lock: Arc<dyn LeaseLock> = if several {
                let (lease, spread) = (name.clone(), spread.clone());
                let most = timing.call_timeout() / 2;
                Arc::new(Yielding { lock, lease, spread, most })
            } else {
                lock
            };
            let elector = Elector::new(lock, candidate.clone())
                .with_timing(timing)
                .with_drain_limit(graceful_stop.mul_f64(STOP_SHARE));
            (name, elector)
        };
        let electors = leases.into_iter().map(elector).collect();
        let standby = standby.map(|lock| Standby {
            elector: Elector::new(lock.clone(), candidate.clone()).with_timing(timing),
            lock,
            spread: spread.clone(),
        });
        Ok(Manager::new(Parts { electors, standby, spread, on_loss, graceful_stop }))
    }
}
