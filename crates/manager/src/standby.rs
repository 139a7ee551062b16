//! How a process that leads nothing comes to lead something, where others lead more than one lease.

use std::sync::Arc;

use futures::StreamExt;
use leasehold_core::{Elector, ErrorKind, LeaseLock, Record, Stamp, Tenure};
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;

use crate::{Error, elected::Led, election::Election, spread::Spread};

/// A lease of its own, that whoever leads nothing stands for. Its holder is the next in line: who leads
/// two leases or more sees it there, and gives up one.
pub(crate) struct Standby {
    pub(crate) lock: Arc<dyn LeaseLock>,
    pub(crate) elector: Elector,
    pub(crate) spread: Arc<Spread>,
}

impl Standby {
    /// Until the shutdown.
    pub(crate) async fn run(
        &self,
        elections: &[Arc<Election>],
        led: &watch::Sender<Led>,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let warm = async {
            for election in elections {
                election.warm().await;
            }
        };
        // What is cold leads nothing, and nobody is to give up anything for it.
        if shutdown.run_until_cancelled(warm).await.is_none() {
            return Ok(());
        }
        let share = self.share(elections, led.subscribe());
        tokio::select! {
            waited = self.wait_in_line(led.subscribe(), shutdown) => waited,
            () = share => Ok(()),
        }
    }

    /// Holds the lease while nothing is led.
    async fn wait_in_line(
        &self,
        mut led: watch::Receiver<Led>,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let mut gained = led.clone();
        while !shutdown.is_cancelled() {
            let idle = led.wait_for(|led| led.is_empty());
            if shutdown.run_until_cancelled(idle).await.is_none() {
                break;
            }
            let over = shutdown.child_token();
            let watching = async {
                // The sender is there as long as this is.
                let _ = gained.wait_for(|led| !led.is_empty()).await;
                over.cancel();
            };
            let waiting = async {
                match self.elector.campaign(&over).await {
                    Ok(place) => {
                        tokio::select! {
                            () = over.cancelled() => {}
                            () = place.ended() => {}
                        }
                        place.resign().await;
                        Ok(())
                    }
                    Err(error) if error.kind() == ErrorKind::Cancelled => Ok(()),
                    Err(source) => Err(Error::Election { lease: "standby".into(), source }),
                }
            };
            tokio::pin!(waiting);
            tokio::select! {
                waited = &mut waiting => waited?,
                () = watching => waiting.await?,
            }
        }
        Ok(())
    }

    /// Gives up what was gained last, while there is more than one, for each who comes to be in line.
    async fn share(&self, elections: &[Arc<Election>], mut led: watch::Receiver<Led>) {
        let patience = self.elector.timing().lease_duration();
        loop {
            if led.wait_for(|led| led.len() > 1).await.is_err() {
                return;
            }
            let next = tokio::select! {
                next = self.next_in_line() => next,
                _ = led.wait_for(|led| led.len() < 2) => continue,
            };
            let lease = self.spread.last_of_several();
            let surplus = elections.iter().find(|one| Some(&one.lease) == lease.as_ref());
            let (Some(election), Some(_)) = (surplus, next) else {
                // The watch broke, or nothing is left to give up.
                time::sleep(self.elector.timing().retry_interval()).await;
                continue;
            };
            tracing::info!(target: "leasehold::manager", lease = %election.lease, "given up for one who leads none");
            election.elector.step_down().await;
            // One at a time: who was in line leaves it as soon as it leads.
            let _ = time::timeout(patience, self.left(next)).await;
        }
    }

    /// Whoever is in line and lives: its record was seen to be renewed. None if it cannot be seen.
    async fn next_in_line(&self) -> Option<Stamp> {
        let mut watch = self.lock.watch();
        let mut before: Option<Stamp> = None;
        while let Some(Ok(seen)) = watch.next().await {
            let stamp = seen.record.as_ref().and_then(holder);
            if let (Some(stamp), Some(before)) = (stamp, before)
                && stamp.author == before.author
                && stamp.attempt > before.attempt
            {
                return Some(stamp);
            }
            before = stamp;
        }
        None
    }

    /// Ends when this one is in line no more.
    async fn left(&self, next: Option<Stamp>) {
        let author = next.map(|stamp| stamp.author);
        let mut watch = self.lock.watch();
        while let Some(Ok(seen)) = watch.next().await {
            if seen.record.as_ref().and_then(holder).map(|stamp| stamp.author) != author {
                return;
            }
        }
    }
}

fn holder(record: &Record) -> Option<Stamp> {
    if matches!(record.tenure, Tenure::Held { .. }) { record.stamp } else { None }
}
