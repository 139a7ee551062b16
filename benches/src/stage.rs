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
                    wait: planned.wait,
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
        let warnings = warnings.into_iter().map(|warning| format!("{name}: {warning}")).collect();
        let measured = Measured {
            name,
            description,
            programs: plan.programs.iter().map(|program| (**program).clone()).collect(),
            floor,
            left_out: plan.left_out.clone(),
        };
        Ok((measured, rows, warnings))
    }

    /// Starts all contenders of a phase before anything is measured: to start a process is hard
    /// work. A peer that cannot be started is its own trouble, and not the run's.
    async fn groups(
        &self,
        phase: &[PlannedLease],
        options: &Options,
    ) -> Result<Vec<Result<Group>>> {
        if self.interrupt.is_cancelled() {
            return Ok(Vec::new());
        }
        let casts = phase.iter().map(|lease| Cast {
            program: lease.program.clone(),
            url: lease.url.clone(),
            link: lease.link.clone(),
            name: lease.name.clone(),
            timing: lease.timing,
            wait: lease.wait,
            contenders: options.contenders as usize,
        });
        let groups = casts.map(async |cast| {
            let is_peer = cast.program.is_peer;
            let group = Group::start(cast, self.interrupt.clone()).await;
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
                pair.measure(rounds, crash, rng, calendar, self.progress, self.interrupt).await
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
        let mut group = match group {
            Ok(group) => group,
            Err(_) if self.interrupt.is_cancelled() => {
                return Lease::unmeasured(planned.name, None);
            }
            Err(error) => {
                let text = self.trouble(format!("lease {}: {error:#}", planned.name));
                return Lease::unmeasured(planned.name, Some(text));
            }
        };
        let mut done = Vec::new();
        let mut trouble = None;
        while done.len() < planned.rounds {
            match rounds.next(&mut group).await {
                Ok(round) => done.push(round),
                Err(_) if self.interrupt.is_cancelled() => break,
                Err(error) => {
                    let name = &planned.name;
                    let text = format!("round {} of lease {name}: {error:#}", done.len() + 1);
                    trouble = Some(self.trouble(text));
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

    fn trouble(&self, text: String) -> String {
        self.progress.say(&text);
        text
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
        let first = *first;
        let of_one_row = |lease: &PlannedLease| {
            (lease.fault, lease.timing, &lease.program.name)
                == (first.fault, first.timing, &first.program.name)
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
