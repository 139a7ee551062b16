use std::path::PathBuf;

use anyhow::{Context, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Row,
    calendar::Calendar,
    floor::{Floor, Pair, Samples},
    group::Group,
    outcome::{Ledger, Measured},
    plan::{Act, Plan, PlannedLease},
    progress::Progress,
    restart::Restarts,
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
    /// A lease of the floor cannot be named on this store, or a measuring task broke.
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
                    let restarts = self.restarts(store, leases, *rounds, rng).await;
                    let Restarts { leases, away, gone } = restarts;
                    let row = |(planned, lease)| {
                        let away = (away.n() > 0).then(|| away.clone());
                        Row::new(Subject::of(&store.name, planned), away, vec![lease])
                    };
                    ledger.rows.extend(leases.into_iter().map(row));
                    if let Some(why) = gone {
                        let rest = "what was still to be measured on it is left out";
                        let text = format!("{}: {why}; {rest}", store.name);
                        ledger.warnings.push(self.trouble(text));
                        keep(ledger);
                        break;
                    }
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
        let groups = self.groups(planned).await;
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

    /// Starts all contenders of a phase before anything is measured: to start a process is hard
    /// work. What cannot be started is a trouble of its lease, and not the run's end.
    pub(crate) async fn groups(&self, phase: &[PlannedLease]) -> Vec<Result<Group>> {
        if self.interrupt.is_cancelled() {
            return Vec::new();
        }
        let groups =
            phase.iter().map(|lease| Group::start(lease.cast.clone(), self.interrupt.clone()));
        let groups = futures::future::join_all(groups).await;
        let interrupted = self.interrupt.is_cancelled() && groups.iter().any(Result::is_err);
        if interrupted { Vec::new() } else { groups }
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
        let mut lease = Lease::planned(&planned);
        let mut group = match group {
            Ok(group) => group,
            Err(_) if self.interrupt.is_cancelled() => return lease,
            Err(error) => {
                lease.trouble = Some(self.trouble(format!("lease {}: {error:#}", lease.name)));
                return lease;
            }
        };
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

    pub(crate) fn trouble(&self, text: String) -> String {
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
