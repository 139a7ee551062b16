use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    Distribution,
    group::Group,
    plan::PlannedLease,
    round::{Past, Round},
    row::Lease,
    stage::Stage,
    store::Store,
};

/// What came of killing a store and starting it again.
pub(crate) struct Restarts<'a> {
    pub(crate) leases: Vec<(&'a PlannedLease, Lease)>,
    /// How long it was away each time.
    pub(crate) away: Distribution,
    /// It has not come back, and why.
    pub(crate) gone: Option<String>,
}

impl Stage {
    /// Kills the store and starts it again, while somebody leads on each of the leases. What was
    /// measured is kept if it does not come back; a lease that came to grief is left alone.
    pub(crate) async fn restarts<'a>(
        &self,
        store: &Store,
        planned: &'a [PlannedLease],
        rounds: usize,
        rng: &mut StdRng,
    ) -> Restarts<'a> {
        let mut groups = self.groups(planned).await;
        // Without one for each the run is being interrupted.
        let mut leases: Vec<_> = planned
            .iter()
            .zip(&groups)
            .map(|(planned, group)| {
                let mut lease = Lease::planned(planned);
                let text = |error| format!("lease {}: {error:#}", lease.name);
                lease.trouble = group.as_ref().err().map(text).map(|text| self.trouble(text));
                (planned, lease)
            })
            .collect();
        let (mut away, mut gone) = (Vec::new(), None);
        for number in 1..=rounds {
            let seeds: Vec<u64> = planned.iter().map(|_| rng.random()).collect();
            let ready: Vec<_> = groups
                .iter_mut()
                .zip(&mut leases)
                .zip(seeds)
                .filter(|((_, (_, lease)), _)| lease.trouble.is_none())
                .filter_map(|((group, lease), seed)| Some((group.as_mut().ok()?, lease, seed)))
                .collect();
            if ready.is_empty() {
                break;
            }
            let before = ready.into_iter().map(async |(group, (planned, lease), seed)| {
                let mut rng = StdRng::seed_from_u64(seed);
                let ready = settle(group, planned, &mut rng).await;
                (group, *planned, lease, ready)
            });
            let before = futures::future::join_all(before).await;
            if self.interrupt.is_cancelled() {
                break;
            }
            let (killed, back) = match store.restart().await {
                Ok(instants) => instants,
                Err(error) => {
                    let why = format!("restart {number}: {error:#}");
                    for (.., lease, _) in before {
                        lease.trouble = Some(why.clone());
                    }
                    gone = Some(why);
                    break;
                }
            };
            away.push(back.cast_signed() - killed.cast_signed());
            let after = before.into_iter().map(async |(group, planned, lease, ready)| {
                let round = match ready {
                    Ok(()) => Survival::round(group, planned, killed, back).await,
                    Err(error) => Err(error),
                };
                match round {
                    Ok(round) => lease.rounds.push(round),
                    Err(_) if self.interrupt.is_cancelled() => {}
                    Err(error) => {
                        let text = format!("round {number} of lease {}: {error:#}", lease.name);
                        lease.trouble = Some(self.trouble(text));
                    }
                }
            });
            futures::future::join_all(after).await;
            self.progress.tick();
        }
        for (group, (_, lease)) in groups.into_iter().zip(&mut leases) {
            if let Ok(group) = group {
                lease.close(group).await;
            }
        }
        Restarts { leases, away: away.into_iter().collect(), gone }
    }
}

/// How one lease fares when its store is killed and started again: who leads then.
///
/// The leader has lived through it if its term goes on: if a renewal of it is confirmed that was sent
/// when the store was back, or, where it tells of none, if nobody else has led within the patience.
#[derive(Debug)]
pub(crate) struct Survival {
    past: Past,
    /// The end of validity that the leader believed in when the store was back.
    until: Option<u64>,
}

/// How long is waited until one leads and all others stand by.
fn patience(planned: &PlannedLease) -> Duration {
    planned.cast.wait * 3 + Duration::from_secs(10)
}

/// Waits until one leads and all others stand by, and then for a random part of the retry interval;
/// returns when the store may be killed, for all that this lease minds.
async fn settle(group: &mut Group, planned: &PlannedLease, rng: &mut StdRng) -> Result<()> {
    group.settled(patience(planned)).await?;
    let phase = planned.cast.timing.retry.mul_f64(rng.random_range(0.0..1.0));
    group.listen(Duration::from_millis(30) + phase).await?;
    group.settled(patience(planned)).await.map(drop)
}

impl Survival {
    /// The store was killed, and is back: listens for what has come of it.
    ///
    /// # Errors
    /// Nobody leads within the bound, a contender ended by itself, or the run was interrupted.
    async fn round(
        group: &mut Group,
        planned: &PlannedLease,
        killed: u64,
        back: u64,
    ) -> Result<Round> {
        let patience = patience(planned);
        // While others were waited for, and the store was away, nobody listened.
        group.catch_up().await?;
        let past =
            Past::at(&group.history, killed).context("store-restart: nobody had led before it")?;
        let survival = Self { until: past.term(group).and_then(|term| term.until), past };
        let past = &survival.past;
        let news = |group: &Group| {
            let next = group.history.terms().len() > past.known;
            (next || survival.is_renewed(group, back)).then_some(next)
        };
        let next = match group.until(patience, news).await? {
            Some(next) => next,
            None if past.term(group).is_some_and(|term| term.end.is_none()) => false,
            None => bail!(
                "store-restart: nobody leads {:?} after the store is back; {}",
                patience,
                group.complaints()
            ),
        };
        if !next {
            return Ok(survival.lived_through(group));
        }
        group.settled(patience).await.context("store-restart")?;
        let round = past.round(group, planned.cast.timing, past.known, None);
        // What was sent to a dead server prolonged nothing: when the lease ended is not known.
        Ok(Round { excess: None, ..round })
    }

    fn is_renewed(&self, group: &Group, back: u64) -> bool {
        self.past.term(group).is_some_and(|term| {
            let asked = term.last_sending().is_some_and(|sending| sending > back);
            asked && term.end.is_none() && term.until > self.until
        })
    }

    fn lived_through(&self, group: &Group) -> Round {
        let Past { leader, fault_at, .. } = self.past;
        let token = self.past.term(group).and_then(|term| term.token);
        Round {
            fault_at,
            leader,
            token,
            successor: leader,
            next_token: token,
            start: fault_at,
            failover: 0,
            excess: None,
            overlap: 0,
            woken_stop: None,
            stopped_before: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, History};

    #[test]
    fn a_change_before_the_kill_is_none_of_its_consequences() {
        let mut history = History::default();
        history.record(0, 10, &Event::Start { token: Some(1) });
        // While others were waited for: it is heard when the store is back.
        history.record(0, 20, &Event::Stop { last: Some(19), why: "lost".into() });
        history.record(1, 25, &Event::Start { token: Some(2) });
        history.record(2, 40, &Event::Start { token: Some(3) });
        let past = Past::at(&history, 30).unwrap();
        assert_eq!((past.leader, past.known, past.fault_at), (1, 2, 30));
        assert_eq!(Past::at(&history, 50).unwrap().known, 3, "somebody may come");
        assert!(Past::at(&history, 5).is_none());
    }
}
