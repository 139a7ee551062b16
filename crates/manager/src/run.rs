use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Group,
    entry::Entry,
    group::ProcessGroup,
    manager::{Added, Inbox, Shared},
};

/// The share of the time that is left of a graceful stop which one stage of it may take.
pub(crate) const STOP_SHARE: f64 = 0.75;
/// The share of a graceful stop after which leases are given back, or will be in the background: others
/// have to stop, too.
const GIVE_BACK_SHARE: f64 = 1.0 - (1.0 - STOP_SHARE) * (1.0 - STOP_SHARE);
/// Where a limit is beyond what a clock can tell: a year.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A manager at work: one task owns its groups, and whatever happens comes to it.
pub(crate) struct Run {
    shared: Arc<Shared>,
    inbox: Inbox,
    /// Those that have started.
    groups: BTreeMap<Group, ProcessGroup>,
    warm_up: Option<ProcessGroup>,
    /// What came before its group has started.
    waiting: Vec<Added>,
    elections: JoinSet<()>,
    /// Each lease that is stood for, until that has ended.
    standing: Vec<(Arc<str>, AbortHandle)>,
    /// Asks it to leave the line of those who stand by.
    in_line: CancellationToken,
}

/// Why it is to stop; none if it was asked to.
type Why = Option<Error>;

impl Run {
    pub(crate) fn new(shared: Arc<Shared>, inbox: Inbox) -> Self {
        Self {
            shared,
            inbox,
            groups: BTreeMap::new(),
            warm_up: None,
            waiting: Vec::new(),
            elections: JoinSet::new(),
            standing: Vec::new(),
            in_line: CancellationToken::new(),
        }
    }

    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let why = match self.start(&shutdown).await {
            Ok(()) => {
                let never = std::future::pending::<()>();
                self.attend(&shutdown, never).await.err().flatten()
            }
            Err(why) => why,
        };
        match &why {
            Some(error) => tracing::error!(target: "leasehold::manager", %error, "stopping"),
            None => tracing::info!(target: "leasehold::manager", "stopping"),
        }
        let (names, leases) = self.stop().await;
        match why.or_else(|| self.failed_meanwhile()) {
            Some(error) => Err(error),
            None if !names.is_empty() || !leases.is_empty() => {
                Err(Error::Late { names, leases, limit: self.shared.graceful_stop })
            }
            None => Ok(()),
        }
    }

    /// What failed before anybody looked: a panic of one that was asked to stop. A lease that was lost just
    /// then was to be given back anyway.
    fn failed_meanwhile(&mut self) -> Option<Error> {
        let mut failures = std::iter::from_fn(|| self.inbox.failures.try_recv().ok());
        failures.find(|failure| !matches!(failure, Error::Lost { .. }))
    }

    /// Starts the groups in order.
    async fn start(&mut self, shutdown: &CancellationToken) -> Result<(), Why> {
        while let Ok(added) = self.inbox.added.try_recv() {
            self.waiting.push(added);
        }
        for group in Group::ALL {
            tracing::debug!(target: "leasehold::manager", ?group, "starting");
            self.groups.insert(group, ProcessGroup::default());
            let started = self.place_waiting();
            self.attend(shutdown, join_all(started.into_iter().map(Entry::synced))).await?;
        }
        self.warm_up = Some(ProcessGroup::default());
        self.place_waiting();
        for election in &self.shared.elections {
            let standing = self.elections.spawn(election.clone().stand());
            self.standing.push((election.lease.clone(), standing));
        }
        let (shared, shutdown) = (self.shared.clone(), self.in_line.clone());
        self.elections.spawn(async move {
            if let Some(standby) = &shared.standby
                && let Err(error) = standby.run(&shared.elections, &shared.led, &shutdown).await
            {
                let _ = shared.failures.send(error);
            }
        });
        Ok(())
    }

    /// Sees to whatever happens until something else is done.
    async fn attend<T>(
        &mut self,
        shutdown: &CancellationToken,
        until: impl Future<Output = T> + Send,
    ) -> Result<T, Why> {
        let mut until = std::pin::pin!(until);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Err(None),
                Some(failure) = self.inbox.failures.recv() => return Err(Some(failure)),
                Some(added) = self.inbox.added.recv() => {
                    self.waiting.push(added);
                    self.place_waiting();
                }
                done = &mut until => return Ok(done),
            }
        }
    }

    /// Starts what waits and whose group has started.
    fn place_waiting(&mut self) -> Vec<Arc<Entry>> {
        let Self { shared, groups, warm_up, waiting, .. } = self;
        let mut started = Vec::new();
        waiting.retain(|Added { entry, election }| {
            match election {
                Some(at) => {
                    let Some(warm_up) = warm_up else { return true };
                    shared.elections[*at].add(entry.clone());
                    warm_up.warm_up(entry);
                }
                None => {
                    let Some(group) = groups.get(&entry.runnable.group()) else { return true };
                    group.start(entry);
                    started.push(entry.clone());
                }
            }
            false
        });
        started
    }

    /// Stops everything, the leader's work first, then the groups in reverse. Says who was late, and which
    /// leases are not given back yet.
    async fn stop(&mut self) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        self.inbox.added.close();
        let now = Instant::now();
        let after = |limit: Duration| now.checked_add(limit).unwrap_or_else(|| now + FOR_EVER);
        let limit = self.shared.graceful_stop;
        let (deadline, given_back_by) = (after(limit), after(limit.mul_f64(GIVE_BACK_SHARE)));
        self.in_line.cancel();
        for election in &self.shared.elections {
            election.shutdown.cancel();
        }
        let given_back = async { while self.elections.join_next().await.is_some() {} };
        let mut leases = Vec::new();
        if timeout_at(given_back_by, given_back).await.is_err() {
            let standing = self.standing.iter().filter(|(_, standing)| !standing.is_finished());
            leases.extend(standing.map(|(lease, _)| lease.clone()));
            // The work is dropped, and the rest is done in the background.
            self.elections.shutdown().await;
        }
        let mut late: Vec<_> =
            self.shared.elections.iter().flat_map(|election| election.late()).collect();
        let groups = std::mem::take(&mut self.groups).into_values().rev();
        let mut groups = self.warm_up.take().into_iter().chain(groups).peekable();
        while let Some(group) = groups.next() {
            // What is late in one group must not cost all others their time.
            let left = deadline.saturating_duration_since(Instant::now());
            let share = if groups.peek().is_some() { left.mul_f64(STOP_SHARE) } else { left };
            late.extend(group.stop(Instant::now() + share).await);
        }
        late.sort();
        late.dedup();
        (late, leases)
    }
}
