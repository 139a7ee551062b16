use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leasehold_core::{Elector, StatusWatch};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Builder, Elected, Error, OnLoss, Runnable, elected::Led, election::Election, entry::Entry,
    run::Run, running::Running, spread::Spread, standby::Standby,
};

/// Runs what a process is made of, and what only the leader may run while it leads.
///
/// A clone is the same manager: one may be kept to [`add`](Self::add) while the other runs.
#[derive(Clone)]
pub struct Manager {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) elections: Vec<Arc<Election>>,
    pub(crate) standby: Option<Standby>,
    pub(crate) graceful_stop: Duration,
    pub(crate) led: Arc<watch::Sender<Led>>,
    pub(crate) failures: mpsc::UnboundedSender<Error>,
    added: mpsc::UnboundedSender<Added>,
    /// What the run takes with it.
    inbox: Mutex<Option<Inbox>>,
}

/// A runnable, and the lease it needs, by its place.
pub(crate) struct Added {
    pub(crate) entry: Arc<Entry>,
    pub(crate) election: Option<usize>,
}

pub(crate) struct Inbox {
    pub(crate) added: mpsc::UnboundedReceiver<Added>,
    pub(crate) failures: mpsc::UnboundedReceiver<Error>,
}

pub(crate) struct Parts {
    pub(crate) electors: Vec<(Arc<str>, Elector)>,
    pub(crate) standby: Option<Standby>,
    pub(crate) spread: Arc<Spread>,
    pub(crate) on_loss: OnLoss,
    pub(crate) graceful_stop: Duration,
}

impl Manager {
    /// The beginning of a manager, for a process of this name: a Pod's, a host's.
    pub fn builder(candidate: impl Into<String>) -> Builder {
        Builder::new(candidate.into())
    }

    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { electors, standby, spread, on_loss, graceful_stop } = parts;
        let (added, arrivals) = mpsc::unbounded_channel();
        let (failures, failed) = mpsc::unbounded_channel();
        let led = Arc::new(watch::Sender::default());
        let election = |(lease, elector)| {
            Arc::new(Election {
                lease,
                elector,
                on_loss,
                led: led.clone(),
                spread: spread.clone(),
                failures: failures.clone(),
                shutdown: CancellationToken::new(),
                entries: watch::Sender::default(),
                running: Running::default(),
                late: Mutex::default(),
            })
        };
        let elections = electors.into_iter().map(election).collect();
        let inbox = Mutex::new(Some(Inbox { added: arrivals, failures: failed }));
        let shared = Shared { elections, standby, graceful_stop, led, failures, added, inbox };
        Self { shared: Arc::new(shared) }
    }

    /// Adds a runnable. If it needs leader election, it needs the lease of this manager.
    ///
    /// One that is added while the manager runs starts in its group, or, leader-only, as soon as it is
    /// warm and the lease is led. Nobody waits for it who comes after its group: what others rely on is added
    /// before the start.
    ///
    /// # Errors
    /// * [`Error::Invalid`]: it needs leader election, and there is no lease, or are several;
    /// * [`Error::Stopped`]: the manager has stopped, or is about to.
    pub fn add(&self, runnable: impl Runnable) -> Result<(), Error> {
        let election = match (runnable.needs_leader_election(), self.shared.elections.len()) {
            (false, _) => None,
            (true, 1) => Some(0),
            (true, 0) => {
                return Err(Error::Invalid(format!(
                    "the runnable {:?} needs leader election, and the manager has no lease: add one \
                     with `with_lease`, or let it say that it needs none",
                    runnable.name()
                )));
            }
            (true, _) => {
                return Err(Error::Invalid(format!(
                    "the runnable {:?} needs leader election, and there are several leases: say with \
                     `add_to` which of {}",
                    runnable.name(),
                    self.leases()
                )));
            }
        };
        self.enter(runnable, election)
    }

    /// Adds a runnable that runs while this lease is led.
    ///
    /// # Errors
    /// * [`Error::Invalid`]: there is no lease of this name, or the runnable needs no leader election;
    /// * [`Error::Stopped`]: the manager has stopped, or is about to.
    pub fn add_to(&self, lease: &str, runnable: impl Runnable) -> Result<(), Error> {
        let name = runnable.name();
        if !runnable.needs_leader_election() {
            return Err(Error::Invalid(format!(
                "the runnable {name:?} was added to the lease {lease:?}, and says that it needs no \
                 leader election: use `add`, or let it say that it does"
            )));
        }
        let at = self.shared.elections.iter().position(|election| *election.lease == *lease);
        let Some(at) = at else {
            return Err(Error::Invalid(format!(
                "the runnable {name:?} was added to the lease {lease:?}, which the manager does not \
                 have: it has {}",
                self.leases()
            )));
        };
        self.enter(runnable, Some(at))
    }

    /// What this process leads: the present, and each change.
    pub fn elected(&self) -> Elected {
        Elected::new(self.shared.led.subscribe())
    }

    /// What is known of the election of a lease: whom this process follows, or since when nothing is
    /// known. None if there is no lease of this name.
    pub fn status(&self, lease: &str) -> Option<StatusWatch> {
        let election = self.shared.elections.iter().find(|election| *election.lease == *lease)?;
        Some(election.elector.status())
    }

    /// Gives up a lease to another, if this process leads it, and stands again: as
    /// [`Elector::step_down`]. With [`OnLoss::Exit`] the manager stops. Not to be awaited by the work
    /// itself, which it waits for: a runnable that awaits it is dropped at its limit.
    ///
    /// # Cancel safety
    /// Dropped, the term still stops.
    pub async fn step_down(&self, lease: &str) -> bool {
        match self.shared.elections.iter().find(|election| *election.lease == *lease) {
            Some(election) => election.elector.step_down().await,
            None => false,
        }
    }

    /// Runs everything, until `shutdown` is cancelled, or something fails; then stops everything, the
    /// leader's work first, and gives the leases back.
    ///
    /// It returns within the limit of the graceful stop, and a moment: what has not ended by then is
    /// dropped, and named in the error, and so is a lease that is not given back yet.
    ///
    /// # Errors
    /// * [`Error::Failed`], [`Error::Panicked`], [`Error::WarmUp`]: the first runnable that failed;
    /// * [`Error::Election`]: a lease cannot be stood for;
    /// * [`Error::Lost`]: as [`OnLoss::Exit`] says;
    /// * [`Error::Late`]: something did not stop in time;
    /// * [`Error::Started`]: it was started before.
    ///
    /// # Cancel safety
    /// Dropped, everything is dropped, and the leases are given back in the background.
    ///
    /// # Panics
    /// Outside of a tokio runtime. The runtime needs timers.
    pub async fn start(&self, shutdown: CancellationToken) -> Result<(), Error> {
        let inbox = self.shared.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let inbox = inbox.ok_or(Error::Started)?;
        Run::new(self.shared.clone(), inbox).run(shutdown).await
    }

    fn enter(&self, runnable: impl Runnable, election: Option<usize>) -> Result<(), Error> {
        let entry = Entry::new(Arc::new(runnable), self.shared.failures.clone());
        let name = entry.name.clone();
        self.shared.added.send(Added { entry, election }).map_err(|_| Error::Stopped { name })
    }

    fn leases(&self) -> String {
        match self.shared.elections.as_slice() {
            [] => "none".to_owned(),
            some => {
                let name = |election: &Arc<Election>| format!("{:?}", election.lease);
                some.iter().map(name).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leases: Vec<_> = self.shared.elections.iter().map(|one| &one.lease).collect();
        f.debug_struct("Manager").field("leases", &leases).finish_non_exhaustive()
    }
}
