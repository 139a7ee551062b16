//! How a process that leads nothing comes to lead something, where others lead more than one lease.

use std::sync::Arc;

use leasehold_core::{Elector, ErrorKind, LeaseLock, RandomPart, Record, Stamp, Tenure};
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
        let mut in_vain = None;
        loop {
            if led.wait_for(|led| led.len() > 1).await.is_err() {
                return;
            }
            let next = tokio::select! {
                next = self.next_in_line(&mut in_vain) => next,
                _ = led.wait_for(|led| led.len() < 2) => continue,
            };
            let leading = led.borrow().clone();
            if leading.len() < 2 {
                continue;
            }
            let lease = self.spread.last_of(&leading);
            let surplus = elections.iter().find(|one| Some(&one.lease) == lease.as_ref());
            let Some(election) = surplus else { continue };
            tracing::info!(target: "leasehold::manager", lease = %election.lease, "given up for one who leads none");
            election.elector.step_down().await;
            // One at a time: who was in line leaves it as soon as it leads.
            if time::timeout(patience, self.left(next)).await.is_err() {
                in_vain = Some(next.author);
            }
        }
    }

    /// Whoever is in line and lives: its record was seen to be renewed. Not the one that was given a lease
    /// in vain, until it has left the line.
    async fn next_in_line(&self, in_vain: &mut Option<RandomPart>) -> Stamp {
        let mut before: Option<Stamp> = None;
        loop {
            let mut stamp = self.in_line().await;
            if stamp.is_some_and(|stamp| Some(stamp.author) == *in_vain) {
                stamp = None;
            } else if stamp.is_some() {
                *in_vain = None;
            }
            if let (Some(stamp), Some(before)) = (stamp, before)
                && stamp.author == before.author
                && stamp.attempt > before.attempt
            {
                return stamp;
            }
            before = stamp;
            self.pause().await;
        }
    }

    /// Ends when this one is in line no more.
    async fn left(&self, next: Stamp) {
        while self.in_line().await.is_some_and(|stamp| stamp.author == next.author) {
            self.pause().await;
        }
    }

    /// Whose record is there; none, too, where the store does not say so in time.
    async fn in_line(&self) -> Option<Stamp> {
        let observe = self.lock.observe();
        let seen = time::timeout(self.elector.timing().call_timeout(), observe).await.ok()?.ok()?;
        seen.record.as_ref().and_then(holder)
    }

    async fn pause(&self) {
        time::sleep(self.elector.timing().retry_interval()).await;
    }
}

fn holder(record: &Record) -> Option<Stamp> {
    if matches!(record.tenure, Tenure::Held { .. }) { record.stamp } else { None }
}
