use std::path::PathBuf;

use anyhow::{Context, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Row,
    calendar::Calendar,
    floor::{Floor, Pair, Samples},
    group::{Cast, Group},
    outcome::Measured,
    plan::{Plan, PlannedLease},
    progress::Progress,
    round::Rounds,
    row::Lease,
    store::Store,
};

/// Where stores are measured, one after the other, and what all that is measured side by side has
/// in common.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) contender: PathBuf,
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
    /// Measures one store. What stands in the way of its floor is a warning: the rounds count.
    ///
    /// # Errors
    /// A contender ended before anything could be measured.
    pub(crate) async fn store(
        &self,
        store: &Store,
        plan: &Plan,
        options: &Options,
        rng: &mut StdRng,
    ) -> Result<(Measured, Vec<Row>, Vec<String>)> {
        let calendar = Calendar::default();
        let mut leases = Vec::new();
        let mut floors = Vec::new();
        for (number, phase) in plan.phases.iter().enumerate() {
            let groups = self.groups(phase, options).await?;
            // Beside the first: the floor is the same for all of them.
            for (name, crash) in plan.floors.iter().copied().filter(|_| number == 0) {
                let rounds = options.rounds();
                let (url, seed) = (store.url(name)?, rng.random());
                let floor = FloorPlan { url, rounds, crash, seed };
                floors.push((crash, tokio::spawn(self.clone().pair(floor, calendar.clone()))));
            }
            let running = groups.into_iter().zip(phase).map(|(group, planned)| {
                let rounds = Rounds {
                    fault: planned.fault,
                    timing: planned.timing,
                    calendar: calendar.clone(),
                    rng: StdRng::seed_from_u64(rng.random()),
                };
                tokio::spawn(self.clone().rounds(group, planned.clone(), rounds))
            });
            // All of them run before one is waited for.
            for (running, planned) in running.collect::<Vec<_>>().into_iter().zip(phase) {
                leases.push((planned, running.await.context("a measuring task broke")?));
            }
        }
        let (floor, warnings) = collected(floors).await?;
        let floor = (!options.no_floor).then_some(floor);
        let rows = rows(&store.name, floor.as_ref(), leases);
        let (name, description) = (store.name.clone(), store.describe());
        let left_out = plan.left_out.clone();
        let warnings = warnings.into_iter().map(|warning| format!("{name}: {warning}")).collect();
        Ok((Measured { name, description, floor, left_out }, rows, warnings))
    }

    /// Starts all contenders of a phase before anything is measured: to start a process is hard
    /// work.
    async fn groups(&self, phase: &[PlannedLease], options: &Options) -> Result<Vec<Group>> {
        if self.interrupt.is_cancelled() {
            return Ok(Vec::new());
        }
        let casts = phase.iter().map(|lease| Cast {
            program: self.contender.clone(),
            url: lease.url.clone(),
            link: lease.link.clone(),
            name: lease.name.clone(),
            timing: lease.timing,
            contenders: options.contenders as usize,
        });
        let groups = casts.map(|cast| Group::start(cast, self.interrupt.clone()));
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
                pair.measure(rounds, crash, rng, calendar, self.progress, self.interrupt).await
            }
            Err(error) => (Samples::default(), Err(error)),
        };
        let warning =
            done.err().map(|error| format!("the floor was not measured to its end: {error:#}"));
        (samples, warning)
    }

    async fn rounds(self, mut group: Group, planned: PlannedLease, mut rounds: Rounds) -> Lease {
        let mut done = Vec::new();
        let mut trouble = None;
        while done.len() < planned.rounds {
            match rounds.next(&mut group).await {
                Ok(round) => done.push(round),
                Err(_) if self.interrupt.is_cancelled() => break,
                Err(error) => {
                    let text =
                        format!("round {} of lease {}: {error:#}", done.len() + 1, planned.name);
                    self.progress.say(&text);
                    trouble = Some(text);
                    break;
                }
            }
            self.progress.tick();
        }
        group.disperse().await;
        Lease {
            name: planned.name,
            rounds: done,
            overlaps: group.history.overlaps(),
            stale_tokens: group.history.stale_tokens(),
            trouble,
            odd: std::mem::take(&mut group.odd),
            terms: group.history.into_terms(),
        }
    }
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
        let (fault, timing) = (first.fault, first.timing);
        let (these, others) =
            leases.into_iter().partition(|(l, _)| (l.fault, l.timing) == (fault, timing));
        leases = others;
        let these: Vec<_> = these;
        let these = these.into_iter().map(|(_, lease)| lease).collect();
        rows.push(Row::new(store, fault, timing, floor, these));
    }
    rows
}
