use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Outcome, Row,
    calendar::Calendar,
    floor::{Floor, Pair, Samples},
    group::{Cast, Group},
    machine::{Busy, Machine},
    outcome::Settings,
    plan::{Plan, PlannedLease, without_secret},
    progress::Progress,
    report,
    round::Rounds,
    row::Lease,
    table,
};

/// The programs that cargo has built, and where its output goes.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Leasehold's own contender.
    pub contender: PathBuf,
    /// The bare steps of a handover.
    pub floor: PathBuf,
    /// Where reports go that nobody gave a place.
    pub target: PathBuf,
}

/// Measures. An interruption ends it early, with what was measured until then.
///
/// # Errors
/// The options cannot work, or a contender ended before anything could be measured.
pub async fn measure(
    options: &Options,
    around: &Surroundings,
    interrupt: CancellationToken,
) -> Result<Outcome> {
    let plan = Plan::new(options)?;
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let (began, busy) = (Instant::now(), Busy::since_now());
    let seed = options.seed.unwrap_or_else(rand::random);
    let program = options.program.as_deref().map_or_else(|| around.contender.clone(), from_here);
    let machine = Machine::here(plan.directory.as_ref().map(tempfile::TempDir::path));
    let floors = plan.floors.len();
    let rounds: usize = plan.leases.iter().map(|lease| lease.rounds).sum();
    let progress = Progress::new(rounds + floors * options.rounds());
    progress.say(&format!(
        "{} leases, {} processes, seed {seed}; about {}. Ctrl-C keeps what was measured.",
        plan.leases.len() + floors,
        plan.leases.len() * options.contenders as usize + 2 * floors,
        humantime::format_duration(Duration::from_secs(plan.forecast.as_secs()))
    ));
    let stage = Stage {
        calendar: Calendar::default(),
        progress: progress.clone(),
        interrupt: interrupt.clone(),
    };
    let mut rng = StdRng::seed_from_u64(seed);

    let casts = plan.leases.iter().map(|lease| Cast {
        program: program.clone(),
        url: lease.url.clone(),
        name: lease.name.clone(),
        timing: lease.timing,
        contenders: options.contenders as usize,
    });
    // All are started before anything is measured: to start a process is hard work.
    let groups =
        futures::future::try_join_all(casts.map(|cast| Group::start(cast, interrupt.clone())));
    let groups = match groups.await {
        Ok(groups) => groups,
        Err(_) if interrupt.is_cancelled() => Vec::new(),
        Err(error) => {
            progress.finish();
            return Err(error);
        }
    };
    let mut floors = Vec::new();
    for (name, crash) in plan.floors.iter().copied() {
        let floor = FloorPlan {
            program: around.floor.clone(),
            url: plan.lease_url(name)?,
            rounds: options.rounds(),
            crash,
            seed: rng.random(),
        };
        floors.push((crash, tokio::spawn(stage.clone().floor(floor))));
    }
    let mut running = Vec::new();
    for (group, lease) in groups.into_iter().zip(&plan.leases) {
        running.push(tokio::spawn(stage.clone().rounds(group, lease.clone(), rng.random())));
    }
    let mut leases = Vec::new();
    for (running, planned) in running.into_iter().zip(&plan.leases) {
        leases.push((planned.clone(), running.await.context("a measuring task broke")?));
    }
    let mut warnings = Vec::new();
    let (mut handovers, mut crashes, mut acquisitions) = (Vec::new(), Vec::new(), Vec::new());
    for (crash, floor) in floors {
        let (samples, warning) = floor.await.context("a measuring task broke")?;
        warnings.extend(warning);
        if crash { &mut crashes } else { &mut handovers }.extend(samples.whole);
        acquisitions.extend(samples.acquisition);
    }
    let floor = (!options.no_floor).then(|| Floor {
        handover: handovers.into_iter().collect(),
        crash: crashes.into_iter().collect(),
        acquisition: acquisitions.into_iter().collect(),
    });
    progress.finish();
    Ok(Outcome {
        date,
        took_s: began.elapsed().as_secs_f64(),
        busy: busy.share(),
        interrupted: interrupt.is_cancelled(),
        machine,
        settings: Settings {
            backend: plan.backend.clone(),
            url: without_secret(&plan.url),
            program: program.display().to_string(),
            rounds: options.rounds(),
            contenders: options.contenders,
            timings: options.timing.clone(),
            seed,
        },
        rows: rows(&plan, floor.as_ref(), leases),
        floor,
        warnings,
    })
}

/// Shows the outcome: the table on standard output, the report and the JSON file where they were
/// asked for.
///
/// # Errors
/// A file cannot be written.
pub fn present(outcome: &Outcome, options: &Options, around: &Surroundings) -> Result<ExitCode> {
    println!("{}", table::render(outcome));
    // An earlier run's report stays where this one has nothing to say.
    if outcome.interrupted && outcome.is_empty() {
        eprintln!("interrupted before anything was measured");
        return Ok(ExitCode::from(2));
    }
    let directory = match &options.report {
        Some(directory) => from_here(directory),
        None => around.target.join("failover"),
    };
    let page = report::write(outcome, &directory)?;
    if let Some(file) = &options.json {
        outcome.write_json(&from_here(file))?;
    }
    println!("report: {}", page.display());
    for violation in outcome.violations() {
        eprintln!("{violation}");
    }
    Ok(outcome.exit_code())
}

/// Cargo runs a bench in the directory of its package; a path on the command line means the
/// directory in which the command was given.
fn from_here(path: &Path) -> PathBuf {
    match env::var_os("PWD") {
        Some(here) if env::var_os("CARGO").is_some() => Path::new(&here).join(path),
        _ => path.to_owned(),
    }
}

fn rows(plan: &Plan, floor: Option<&Floor>, mut leases: Vec<(PlannedLease, Lease)>) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some((first, _)) = leases.first() {
        let (fault, timing) = (first.fault, first.timing);
        let (these, others) =
            leases.into_iter().partition(|(l, _)| (l.fault, l.timing) == (fault, timing));
        leases = others;
        let these: Vec<_> = these;
        let these = these.into_iter().map(|(_, lease)| lease).collect();
        rows.push(Row::new(fault, timing, &plan.backend, floor, these));
    }
    rows
}

/// What one pair of the floor is to do.
#[derive(Debug)]
struct FloorPlan {
    program: PathBuf,
    url: String,
    rounds: usize,
    crash: bool,
    seed: u64,
}

/// What all that is measured side by side has in common.
#[derive(Clone, Debug)]
struct Stage {
    calendar: Calendar,
    progress: Progress,
    interrupt: CancellationToken,
}

impl Stage {
    /// Measures the floor beside the rest. What stands in its way is a warning: the rounds count.
    async fn floor(self, asked: FloorPlan) -> (Samples, Option<String>) {
        let FloorPlan { program, url, rounds, crash, seed } = asked;
        let pair = tokio::select! {
            pair = Pair::start(program, url) => pair,
            () = self.interrupt.cancelled() => return (Samples::default(), None),
        };
        let (samples, done) = match pair {
            Ok(pair) => {
                let rng = StdRng::seed_from_u64(seed);
                pair.measure(rounds, crash, rng, self.calendar, self.progress, self.interrupt).await
            }
            Err(error) => (Samples::default(), Err(error)),
        };
        let warning =
            done.err().map(|error| format!("the floor was not measured to its end: {error:#}"));
        (samples, warning)
    }

    async fn rounds(self, mut group: Group, planned: PlannedLease, seed: u64) -> Lease {
        let mut rounds = Rounds {
            fault: planned.fault,
            timing: planned.timing,
            calendar: self.calendar,
            rng: StdRng::seed_from_u64(seed),
        };
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
