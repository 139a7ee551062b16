//! Candidates that say at each moment who acts: for faults that a leader may survive or not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use leasehold::{Candidate, Elector, ErrorKind, Status, Timing, connect};
use leasehold_testkit::{History, What};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Far longer than any wait of these tests, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Candidates of one lease in this process, each with its own connection to the store. All that
/// they do is written to one history.
#[derive(Clone, Debug)]
pub struct Rivals {
    timing: Timing,
    history: History,
    origin: Instant,
    latest: watch::Sender<Option<Act>>,
}

/// Somebody worked, while it was current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Since the beginning of the history. The clock was read before `is_current` was asked.
    pub at: Duration,
    /// Who.
    pub name: String,
    /// In which term.
    pub token: u64,
}

impl Rivals {
    /// Nobody yet.
    pub fn new(timing: Timing) -> Self {
        let (history, origin) = (History::starting_now(), Instant::now());
        Self { timing, history, origin, latest: watch::Sender::new(None) }
    }

    /// How long ago the history began.
    pub fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The lease's duration.
    pub const fn lease(&self) -> Duration {
        self.timing.lease_duration()
    }

    /// A candidate that begins to campaign and knows nothing. It has a name that nobody else had.
    ///
    /// # Panics
    /// If the store does not answer it.
    pub async fn stand(&self, name: impl Into<String>, url: &str) -> Rival {
        let name = name.into();
        let lock = connect(url).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let candidate = Candidate::new(name.as_str()).expect("a name");
        let elector = Arc::new(Elector::new(lock, candidate).with_timing(self.timing));
        let shutdown = CancellationToken::new();
        let work = self.clone().work(name.clone(), elector.clone(), shutdown.clone());
        Rival { rivals: self.clone(), name, elector, shutdown, task: tokio::spawn(work) }
    }

    /// Leads whenever it can, and acts every millisecond while it may.
    async fn work(self, name: String, elector: Arc<Elector>, shutdown: CancellationToken) {
        let error = loop {
            let lead = match elector.campaign(&shutdown).await {
                Ok(lead) => lead,
                Err(error) => break error,
            };
            let token = lead.token().number();
            self.history.record_at(self.now(), &name, What::Began { token });
            loop {
                // In this order: what is delayed between the two was not allowed any longer.
                let at = self.now();
                if !lead.is_current() {
                    break;
                }
                self.history.record_at(at, &name, What::Worked { token });
                self.latest.send_replace(Some(Act { at, name: name.clone(), token }));
                tokio::select! {
                    () = lead.stopping() => break,
                    () = sleep(Duration::from_millis(1)) => {}
                }
            }
            lead.resign().await;
        };
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{name} has ended: {error}");
    }

    /// Notes, for people, what is done to the store.
    pub fn note(&self, what: impl Into<String>) {
        self.history.record_at(self.now(), "-", What::Fault { what: what.into() });
    }

    /// Waits until somebody acts after this moment.
    ///
    /// # Panics
    /// If nobody does.
    pub async fn act_after(&self, moment: Duration) -> Act {
        self.act(&format!("after {moment:?}"), |act| act.at > moment).await
    }

    /// Waits until this one acts, unless it has done so just now.
    ///
    /// # Panics
    /// If it does not.
    pub async fn act_of(&self, rival: &Rival) -> Act {
        self.act(&format!("of {}", rival.name), |act| act.name == rival.name).await
    }

    async fn act(&self, which: &str, wanted: impl Fn(&Act) -> bool + Send + Sync) -> Act {
        let mut latest = self.latest.subscribe();
        let seen = timeout(LIMIT, latest.wait_for(|act| act.as_ref().is_some_and(&wanted))).await;
        match seen {
            Ok(Ok(act)) => act.clone().expect("wanted"),
            _ => panic!("no act {which} within {LIMIT:?}:\n{}", self.history),
        }
    }

    /// Two never worked at once, every term had a greater token than all before, and nobody worked
    /// outside of a term.
    ///
    /// # Panics
    /// If it was not so.
    pub fn check(&self) {
        let violations = self.history.check();
        let said = violations.iter().map(|one| format!("{one}\n")).collect::<String>();
        assert!(violations.is_empty(), "{said}\n{}", self.history);
    }

    /// How many terms there were.
    pub fn terms(&self) -> usize {
        let began = |event: &_| matches!(event, What::Began { .. });
        self.history.events().iter().filter(|event| began(&event.what)).count()
    }
}

/// One of them.
#[derive(Debug)]
#[must_use = "it leaves nothing behind only if it is withdrawn"]
pub struct Rival {
    rivals: Rivals,
    name: String,
    elector: Arc<Elector>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Rival {
    /// Waits until it knows whom it follows.
    ///
    /// # Panics
    /// If nobody leads.
    pub async fn follows(&self) {
        let mut status = self.elector.status();
        let followed = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
        let follows = timeout(LIMIT, status.wait_for(followed)).await;
        let (now, history) = (status.now(), &self.rivals.history);
        assert!(matches!(follows, Ok(Some(_))), "{} follows nobody: {now:?}\n{history}", self.name);
    }

    /// Gives the lease to another, if it leads.
    ///
    /// # Panics
    /// If it does not lead, or the store does not take it back.
    pub async fn step_down(&self) {
        assert!(
            self.elector.step_down().await,
            "{} does not lead:\n{}",
            self.name,
            self.rivals.history
        );
    }

    /// Ends its campaign, or its term, and gives the lease back.
    ///
    /// # Panics
    /// If it had ended by itself before.
    pub async fn withdraw(self) {
        self.shutdown.cancel();
        self.task.await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }
}
