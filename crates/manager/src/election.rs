use std::sync::{Arc, Mutex, PoisonError};

use leasehold_core::{Elector, Leading};
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Error, OnLoss, Scope, elected::Led, entry::Entry, running::Running, spread::Spread};

/// One lease, and the runnables that run while it is led.
pub(crate) struct Election {
    pub(crate) lease: Arc<str>,
    pub(crate) elector: Elector,
    pub(crate) on_loss: OnLoss,
    /// What this process leads.
    pub(crate) led: Arc<watch::Sender<Led>>,
    pub(crate) spread: Arc<Spread>,
    pub(crate) failures: mpsc::UnboundedSender<Error>,
    /// Asks it to stand no more.
    pub(crate) shutdown: CancellationToken,
    pub(crate) entries: watch::Sender<Vec<Arc<Entry>>>,
    pub(crate) running: Running,
    /// Who did not end in time when the manager stopped.
    pub(crate) late: Mutex<Vec<Arc<str>>>,
}

impl Election {
    pub(crate) fn add(&self, entry: Arc<Entry>) {
        self.entries.send_modify(|entries| entries.push(entry));
    }

    /// Stands for the lease until the shutdown, once the runnables that are there now are warm.
    pub(crate) async fn stand(self: Arc<Self>) {
        if self.shutdown.run_until_cancelled(self.warm()).await.is_none() {
            return;
        }
        let run = self.elector.run(self.shutdown.clone(), |lead| self.clone().lead(lead));
        if let Err(source) = run.await {
            let lease = self.lease.clone();
            let _ = self.failures.send(Error::Election { lease, source });
        }
    }

    /// Ends when the runnables that are there now are warm.
    pub(crate) async fn warm(&self) {
        let present = self.entries.borrow().clone();
        for entry in present {
            entry.warm.cancelled().await;
        }
    }

    /// Who was dropped after the shutdown.
    pub(crate) fn late(&self) -> Vec<Arc<str>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One term: runs the runnables, those too that come meanwhile, until all have stopped. Dropped, they
    /// are dropped.
    async fn lead(self: Arc<Self>, lead: Leading) -> Result<(), leasehold_core::Error> {
        let _term = Term::begin(self.clone(), &lead);
        let tasks = TaskTracker::new();
        let mut entries = self.entries.subscribe();
        let mut started = 0;
        loop {
            let present = entries.borrow_and_update().clone();
            for entry in &present[started..] {
                self.start(entry.clone(), &lead, &tasks);
            }
            started = present.len();
            tokio::select! {
                biased;
                () = lead.stopping() => break,
                // The sender is there as long as this is.
                _ = entries.changed() => {}
            }
        }
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    fn start(&self, entry: Arc<Entry>, lead: &Leading, tasks: &TaskTracker) {
        let (tasks, running) = (tasks.clone(), self.running.clone());
        let scope = Scope::of_term(&entry, lead.clone(), tasks, running);
        let given = scope.clone();
        scope.spawn(async move {
            // One that was added while this process led warms up first.
            let cold = tokio::select! {
                biased;
                () = given.stopping() => true,
                () = entry.warm.cancelled() => false,
            };
            if !cold {
                entry.start(given).await;
            }
        });
    }
}

/// Tells that the lease is led, for as long as it is.
struct Term(Arc<Election>);

impl Term {
    fn begin(election: Arc<Election>, lead: &Leading) -> Self {
        let (lease, token) = (&election.lease, lead.token());
        election.spread.leads(lease);
        election.led.send_modify(|led| {
            led.insert(lease.clone(), token);
        });
        Self(election)
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        let Election { lease, running, led, spread, shutdown, failures, .. } = &*self.0;
        spread.leads_no_more(lease);
        led.send_modify(|led| {
            led.remove(lease);
        });
        let names = running.names();
        if !names.is_empty() {
            tracing::warn!(target: "leasehold::manager", %lease, ?names, "dropped: not ended in time");
        }
        if shutdown.is_cancelled() {
            self.0.late.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        } else if self.0.on_loss == OnLoss::Exit {
            // It does not stand again while that is heard.
            shutdown.cancel();
            let _ = failures.send(Error::Lost { lease: lease.clone() });
        }
    }
}
