use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Distribution, Options, Row,
    calendar::Calendar,
    floor::{Floor, Pair, Samples},
    group::{Cast, Group},
    outcome::{Ledger, Measured},
    plan::{Act, Plan, PlannedLease},
    progress::Progress,
    restart::Survival,
    round::Rounds,
    row::{Lease, Subject},
    store::Store,
};

/// Where stores are measured, one after the other, and what all that is measured side by side has
/// in common.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) floor: PathBuf,
    pub(crate) progress: Progress,
    pub(crate) interrupt: CancellationToken,
}

/// What one pair of the floor is to do.
#[derive(Debug)]
struct FloorPlan {
    url: String,
    rounds: usize,
    crash: bool,
    seed: u64,
}

/// A pair at work, and whether its holder is killed.
type Running = (bool, JoinHandle<(Samples, Option<String>)>);

impl Stage {
    /// Measures one store, and has everything kept after each phase. What stands in the way of its
    /// floor, or of a count, is a warning: the rounds count.
    ///
    /// # Errors
    /// A contender ended before anything could be measured, or the store was not there any more.
    pub(crate) async fn store(
        &self,
        store: &Store,
        plan: &Plan,
        options: &Options,
        rng: &mut StdRng,
        ledger: &mut Ledger,
        mut keep: impl FnMut(&Ledger),
    ) -> Result<()> {
        ledger.stores.push(Measured {
            name: store.name.clone(),
            description: store.describe(),
            programs: plan.programs.iter().map(|program| (**program).clone()).collect(),
            floor: None,
            left_out: plan.left_out(),
        });
        let mut floors = plan.floors.as_slice();
        for phase in &plan.phases {
            if self.interrupt.is_cancelled() {
                break;
            }
            let name = format!("{} at {}", store.name, phase.name);
            self.progress.phase(name, phase.forecast, phase.rounds());
            match &phase.act {
                Act::Faults(leases) => {
                    // Beside the first: the floor is the same for all of them.
                    let these = std::mem::take(&mut floors);
                    self.faults(store, leases, these, options, rng, ledger).await?;
                }
                Act::Restarts(leases, rounds) => {
                    let (leases, away) = self.restarts(store, leases, *rounds, rng, ledger).await?;
                    let row = |(planned, lease)| {
                        let away = (away.n() > 0).then(|| away.clone());
                        Row::new(Subject::of(&store.name, planned), away, vec![lease])
                    };
                    ledger.rows.extend(leases.into_iter().map(row));
                }
                Act::Requests(casts, each) => self.requests(store, casts, *each, ledger).await,
            }
            keep(ledger);
        }
        Ok(())
    }

    /// Faults to leaders, on all leases side by side.
    async fn faults(
        &self,
        store: &Store,
        planned: &[PlannedLease],
        floors: &[(&str, bool)],
        options: &Options,
        rng: &mut StdRng,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let calendar = Calendar::default();
        let groups = self.groups(planned).await?;
        let mut pairs = Vec::new();
        for (name, crash) in floors.iter().copied() {
            let (url, seed) = (store.url(name)?, rng.random());
            let floor = FloorPlan { url, rounds: options.rounds(), crash, seed };
            pairs.push((crash, tokio::spawn(self.clone().pair(floor, calendar.clone()))));
        }
        let running = groups.into_iter().zip(planned).map(|(group, planned)| {
            let rounds = Rounds {
                fault: planned.fault,
                timing: planned.cast.timing,
                wait: planned.cast.wait,
                calendar: calendar.clone(),
                rng: StdRng::seed_from_u64(rng.random()),
            };
            tokio::spawn(self.clone().rounds(group, planned.clone(), rounds))
        });
        // All of them run before one is waited for.
        let mut leases = Vec::new();
        for (running, planned) in running.collect::<Vec<_>>().into_iter().zip(planned) {
            leases.push((planned, running.await.context("a measuring task broke")?));
        }
        let measured = ledger.stores.last_mut().context("a store that is not known")?;
        if !pairs.is_empty() {
            let (floor, warnings) = collected(pairs).await?;
            measured.floor = Some(floor);
            let name = &store.name;
            let warnings = warnings.into_iter().map(|warning| format!("{name}: {warning}"));
            ledger.warnings.extend(warnings);
        }
        ledger.rows.extend(rows(&store.name, measured.floor.as_ref(), leases));
        Ok(())
    }

    /// Kills the store and starts it again, while somebody leads on each of the leases; says how long
    /// it was away each time.
    async fn restarts<'a>(
        &self,
        store: &Store,
        planned: &'a [PlannedLease],
        rounds: usize,
        rng: &mut StdRng,
        ledger: &mut Ledger,
    ) -> Result<(Vec<(&'a PlannedLease, Lease)>, Distribution)> {
        let mut groups = self.groups(planned).await?;
        let mut leases: Vec<_> = planned
            .iter()
            .map(|planned| (planned, Lease::unmeasured(planned.cast.name.clone(), None)))
            .collect();
        let mut away = Vec::new();
        for number in 1..=rounds {
            // Those that have not come to grief.
            let ready =
                groups.iter_mut().zip(&mut leases).filter_map(|(group, (planned, lease))| {
                    match group {
                        Ok(group) => Some((group, *planned, lease)),
                        Err(error) => {
                            lease.trouble.get_or_insert_with(|| format!("{error:#}"));
                            None
                        }
                    }
                });
            let seeds: Vec<u64> = planned.iter().map(|_| rng.random()).collect();
            let ready: Vec<_> = ready.collect();
            let before =
                ready.into_iter().zip(seeds).map(async |((group, planned, lease), seed)| {
                    let mut rng = StdRng::seed_from_u64(seed);
                    let survival = Survival::before(group, planned, &mut rng).await;
                    (group, planned, lease, survival)
                });
            let before = futures::future::join_all(before).await;
            if self.interrupt.is_cancelled() {
                break;
            }
            let (killed, back) = store.restart().await?;
            away.push(between(killed, back));
            let after = before.into_iter().map(async |(group, planned, lease, survival)| {
                let round = match survival {
                    Ok(survival) => survival.after(group, planned, killed, back).await,
                    Err(error) => Err(error),
                };
                match round {
                    Ok(round) => lease.rounds.push(round),
                    Err(_) if self.interrupt.is_cancelled() => {}
                    Err(error) if lease.trouble.is_none() => {
                        let name = &planned.cast.name;
                        let text = format!("round {number} of lease {name}: {error:#}");
                        lease.trouble = Some(self.trouble(text));
                    }
                    Err(_) => {}
                }
            });
            futures::future::join_all(after).await;
            self.progress.tick();
        }
        if groups.is_empty() {
            return Ok((Vec::new(), Distribution::default()));
        }
        for (group, (_, lease)) in groups.into_iter().zip(&mut leases) {
            match group {
                Ok(group) => lease.close(group).await,
                Err(error) => {
                    let text = format!("lease {}: {error:#}", lease.name);
                    ledger.warnings.push(format!("{}: {text}", store.name));
                    lease.trouble = Some(self.trouble(text));
                }
            }
        }
        Ok((leases, away.into_iter().collect()))
    }

    /// What the store is asked for by each of these, one after the other, with nobody else there.
    async fn requests(&self, store: &Store, casts: &[Cast], each: Duration, ledger: &mut Ledger) {
        let mut usual = None;
        for cast in std::iter::once(None).chain(casts.iter().map(Some)) {
            let counted = match cast {
                None => self.counted(store, None, each).await,
                Some(cast) => match Group::start(cast.clone(), self.interrupt.clone()).await {
                    Ok(group) => self.counted(store, Some(group), each).await,
                    Err(error) => Err(error),
                },
            };
            if self.interrupt.is_cancelled() {
                return;
            }
            self.progress.tick();
            match (counted, cast) {
                (Ok(count), None) => usual = Some(count),
                (Ok(count), Some(cast)) => {
                    // Less what it does by itself, and what it costs to ask it.
                    let more = (count - usual.unwrap_or_default()).max(0.0);
                    let these = ledger.rows.iter_mut().filter(|row| {
                        (&row.store, &row.program, row.timing)
                            == (&store.name, &cast.program.name, cast.timing)
                    });
                    for row in these {
                        row.requests_per_second = Some(more / each.as_secs_f64());
                    }
                }
                (Err(error), cast) => {
                    let who = cast.map_or("nobody", |cast| cast.program.name.as_str());
                    let text = format!("{}: not counted for {who}: {error:#}", store.name);
                    ledger.warnings.push(self.trouble(text));
                    if cast.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// How much the store is asked for in a while, with these who campaign, or with nobody.
    async fn counted(&self, store: &Store, group: Option<Group>, each: Duration) -> Result<f64> {
        /// For standbys that have just come to have seen what they want to see.
        const SETTLE: Duration = Duration::from_millis(500);
        let Some(mut group) = group else {
            let before = store.requests().await?;
            tokio::select! {
                () = tokio::time::sleep(each) => {}
                () = self.interrupt.cancelled() => {}
            }
            return Ok(store.requests().await? - before);
        };
        let counted = async {
            group.listen(SETTLE).await?;
            let before = store.requests().await?;
            group.listen(each).await?;
            Ok(store.requests().await? - before)
        };
        let counted = counted.await;
        group.disperse().await;
        counted
    }

    /// Starts all contenders of a phase before anything is measured: to start a process is hard
    /// work. A peer that cannot be started is its own trouble, and not the run's.
    async fn groups(&self, phase: &[PlannedLease]) -> Result<Vec<Result<Group>>> {
        if self.interrupt.is_cancelled() {
            return Ok(Vec::new());
        }
        let groups = phase.iter().map(async |lease| {
            let is_peer = lease.cast.program.is_peer;
            let group = Group::start(lease.cast.clone(), self.interrupt.clone()).await;
            if is_peer { Ok(group) } else { group.map(Ok) }
        });
        match futures::future::try_join_all(groups).await {
            Err(_) if self.interrupt.is_cancelled() => Ok(Vec::new()),
            groups => groups,
        }
    }

    async fn pair(self, plan: FloorPlan, calendar: Calendar) -> (Samples, Option<String>) {
        let FloorPlan { url, rounds, crash, seed } = plan;
        let pair = tokio::select! {
            pair = Pair::start(self.floor, url) => pair,
            () = self.interrupt.cancelled() => return (Samples::default(), None),
        };
        let (samples, done) = match pair {
            Ok(pair) => {
                let rng = StdRng::seed_from_u64(seed);
                pair.measure(rounds, crash, rng, calendar, self.interrupt).await
            }
            Err(error) => (Samples::default(), Err(error)),
        };
        let warning =
            done.err().map(|error| format!("the floor was not measured to its end: {error:#}"));
        (samples, warning)
    }

    async fn rounds(
        self,
        group: Result<Group>,
        planned: PlannedLease,
        mut rounds: Rounds,
    ) -> Lease {
        let name = planned.cast.name;
        let mut group = match group {
            Ok(group) => group,
            Err(_) if self.interrupt.is_cancelled() => {
                return Lease::unmeasured(name, None);
            }
            Err(error) => {
                let text = self.trouble(format!("lease {name}: {error:#}"));
                return Lease::unmeasured(name, Some(text));
            }
        };
        let mut lease = Lease::unmeasured(name, None);
        while lease.rounds.len() < planned.rounds {
            match rounds.next(&mut group).await {
                Ok(round) => lease.rounds.push(round),
                Err(_) if self.interrupt.is_cancelled() => break,
                Err(error) => {
                    let (number, name) = (lease.rounds.len() + 1, &lease.name);
                    let text = format!("round {number} of lease {name}: {error:#}");
                    lease.trouble = Some(self.trouble(text));
                    break;
                }
            }
            self.progress.tick();
        }
        lease.close(group).await;
        lease
    }

    fn trouble(&self, text: String) -> String {
        self.progress.say(&text);
        text
    }
}

fn between(from: u64, to: u64) -> i64 {
    to.cast_signed() - from.cast_signed()
}

/// What the pairs of the floor have measured, and what went wrong.
async fn collected(floors: Vec<Running>) -> Result<(Floor, Vec<String>)> {
    let mut warnings = Vec::new();
    let (mut handovers, mut crashes, mut acquisitions) = (Vec::new(), Vec::new(), Vec::new());
    for (crash, floor) in floors {
        let (samples, warning) = floor.await.context("a measuring task broke")?;
        warnings.extend(warning);
        if crash { &mut crashes } else { &mut handovers }.extend(samples.whole);
        acquisitions.extend(samples.acquisition);
    }
    let floor = Floor {
        handover: handovers.into_iter().collect(),
        crash: crashes.into_iter().collect(),
        acquisition: acquisitions.into_iter().collect(),
    };
    Ok((floor, warnings))
}

fn rows(store: &str, floor: Option<&Floor>, mut leases: Vec<(&PlannedLease, Lease)>) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some((first, _)) = leases.first() {
        let first = *first;
        let of_one_row = |lease: &PlannedLease| {
            (lease.fault, lease.cast.timing, lease.defaults, &lease.cast.program.name)
                == (first.fault, first.cast.timing, first.defaults, &first.cast.program.name)
        };
        let (these, others): (Vec<_>, _) =
            leases.into_iter().partition(|(lease, _)| of_one_row(lease));
        leases = others;
        let these = these.into_iter().map(|(_, lease)| lease).collect();
        let floor = floor.and_then(|floor| floor.of(first.fault)).cloned();
        rows.push(Row::new(Subject::of(store, first), floor, these));
    }
    rows
}
