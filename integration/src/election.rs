use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use leasehold::{FencingToken, LeaseLock, Timing, connect, create_free};
use leasehold_testkit::{History, What};
use tokio::sync::watch;

use crate::{Contender, within};

/// The election of one lease, in whatever store, among candidates of this process: hundreds of them
/// are cheap, and one clock sees them all. All that they do, and all that is done to the store, is in
/// one history.
#[derive(Clone, Debug)]
pub struct Election {
    timing: Timing,
    origin: Instant,
    history: History,
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

impl Election {
    /// With nobody in it yet, whatever the store holds of the lease.
    pub fn new(timing: Timing) -> Self {
        let (history, origin) = (History::starting_now(), Instant::now());
        Self { timing, origin, history, latest: watch::Sender::new(None) }
    }

    /// The same, of a lease that is made free before.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn of_a_free_lease(url: &str, timing: Timing) -> Self {
        let lock = connect(url).await.unwrap_or_else(|error| panic!("{error}"));
        create_free(&lock).await.unwrap_or_else(|error| panic!("{error}"));
        Self::new(timing)
    }

    /// A candidate that begins to campaign by a way of its own to the store. It knows nothing of what
    /// was before.
    ///
    /// # Panics
    /// If the store does not answer it.
    pub async fn stand(&self, name: impl Into<String>, url: &str) -> Contender {
        let name = name.into();
        let lock = connect(url).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.stand_with(name, lock)
    }

    /// The same, by a lock that is there.
    ///
    /// # Panics
    /// If nobody can have this name.
    pub fn stand_with(&self, name: impl Into<String>, lock: Arc<dyn LeaseLock>) -> Contender {
        Contender::new(self.clone(), name.into(), lock)
    }

    /// Two of them: one that leads, and one that follows it.
    ///
    /// # Panics
    /// As [`stand`](Self::stand), and if the first never leads.
    pub async fn leader_and_standby(
        &self,
        (leader, its_url): (impl Into<String>, &str),
        (standby, url): (impl Into<String>, &str),
    ) -> [Contender; 2] {
        let leader = self.stand(leader, its_url).await;
        leader.leads().await;
        let standby = self.stand(standby, url).await;
        standby.knows_the_leader().await;
        [leader, standby]
    }

    /// The first one resigns whenever it leads, until the second one leads and is followed. Returns the
    /// token of that term.
    ///
    /// # Panics
    /// If neither of them leads.
    pub async fn give(&self, from: &Contender, to: &Contender) -> FencingToken {
        let mut earlier = FencingToken::ZERO;
        loop {
            tokio::select! {
                token = to.leads_after(earlier) => {
                    from.knows_the_leader().await;
                    return token;
                }
                token = from.leads_after(earlier) => {
                    earlier = token;
                    from.resign();
                }
            }
        }
    }

    /// The leader resigns, the standby leads, and is followed.
    ///
    /// # Panics
    /// If one of them does not.
    pub async fn hand_over(&self, leader: &Contender, standby: &Contender) {
        let token = leader.leads().await;
        leader.resign();
        standby.leads_after(token).await;
        leader.follows(standby.name()).await;
    }

    /// How long ago the history began.
    pub fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The durations of all candidates.
    pub const fn timing(&self) -> Timing {
        self.timing
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
        self.act(&format!("an act after {moment:?}"), |act| act.at > moment).await
    }

    /// Waits until this one acts, unless it has done so just now. Nobody else may have its name.
    ///
    /// # Panics
    /// If it does not.
    pub async fn act_of(&self, candidate: &Contender) -> Act {
        let name = candidate.name();
        self.act(&format!("an act of {name}"), |act| act.name == name).await
    }

    async fn act(&self, which: &str, wanted: impl Fn(&Act) -> bool + Send + Sync) -> Act {
        let mut latest = self.latest.subscribe();
        let act = latest.wait_for(|act| act.as_ref().is_some_and(&wanted));
        let act = within(which, &self.history, act).await.expect("the sender is here");
        act.clone().expect("waited for")
    }

    /// No work of a term was seen after the next term had begun, nor its end; every term had a
    /// greater token than all before; nobody worked outside of a term.
    ///
    /// # Panics
    /// If it was not so, with all that happened.
    pub fn assert_exclusive(&self) {
        let violations = self.history.check();
        let said = violations.iter().map(|one| format!("{one}\n")).collect::<String>();
        assert!(violations.is_empty(), "{said}\n{}", self.history);
    }

    /// How many terms there were.
    pub fn terms(&self) -> usize {
        let began = |event: &_| matches!(event, What::Began { .. });
        self.history.events().iter().filter(|event| began(&event.what)).count()
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    pub(crate) fn began(&self, name: &str, token: u64) {
        self.history.record_at(self.now(), name, What::Began { token });
    }

    pub(crate) fn worked(&self, at: Duration, name: &str, token: u64) {
        self.history.record_at(at, name, What::Worked { token });
        self.latest.send_replace(Some(Act { at, name: name.to_owned(), token }));
    }

    pub(crate) fn stopped(&self, name: &str, token: u64) {
        self.history.record_at(self.now(), name, What::Stopped { token });
    }
}
