use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Instant, SystemTime},
};

use anyhow::{Result, ensure};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Outcome,
    machine::{Busy, Machine},
    outcome::{Ledger, Settings},
    plan::Plan,
    program::{Peer, Program},
    progress::{self, Progress},
    report,
    stage::Stage,
    store::Store,
    table, whole,
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

/// Measures, and writes the report after each phase, so that it is kept whatever happens. An interruption
/// ends it early, with what was measured until then.
///
/// # Errors
/// The options cannot work, a store could not be started, the report could not be written, or
/// there is nothing to measure.
pub async fn measure(
    options: &Options,
    around: &Surroundings,
    interrupt: CancellationToken,
) -> Result<Outcome> {
    Peer::not_both(&options.peers)?;
    report::prepare(&place(options, around))?;
    for file in targets(options, around) {
        whole::check(&file)?;
    }
    let progress = Progress::new();
    let stores = Store::all(options).await?;
    Peer::without_a_store(options, &stores)?;
    let (mut plans, mut ledger) = (Vec::new(), Ledger::default());
    for store in &stores {
        let ready = Program::all(options, around, store, &progress);
        let (programs, left_out) = tokio::select! {
            ready = ready => ready?,
            // What is being built is built to its end, by its own process.
            () = interrupt.cancelled() => (Vec::new(), Vec::new()),
        };
        plans.push(Plan::new(options, store, programs)?);
        ledger.warnings.extend(left_out);
    }
    let left_out: Vec<_> = plans.iter().filter_map(Plan::left_out).collect();
    let nothing = plans.iter().all(|plan| plan.phases.is_empty()) && !interrupt.is_cancelled();
    ensure!(!nothing, "there is nothing to measure: {}", left_out.join("; "));

    let seed = options.seed.unwrap_or_else(rand::random);
    let forecast = plans.iter().map(Plan::forecast).sum();
    progress.begin(forecast, plans.iter().map(|plan| plan.phases.len()).sum());
    progress.say(&announcement(&stores, &plans, seed));
    ledger.warnings.iter().for_each(|warning| progress.say(warning));
    let run = Run {
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        began: Instant::now(),
        busy: Busy::since_now(),
        machine: Machine::here(),
        seed,
    };
    let stage = Stage {
        floor: around.floor.clone(),
        progress: progress.clone(),
        interrupt: interrupt.clone(),
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let measuring = async {
        for (store, plan) in stores.iter().zip(&plans) {
            // Whoever ends it now has this.
            let keep = |ledger: &Ledger| {
                let outcome = run.outcome(options, ledger, true);
                if !outcome.is_empty()
                    && let Err(error) = keep(&outcome, options, around)
                {
                    progress.say(&format!("what was measured so far is not kept: {error:#}"));
                }
            };
            stage.store(store, plan, options, &mut rng, &mut ledger, keep).await?;
        }
        anyhow::Ok(ledger)
    };
    let done = tokio::select! {
        done = measuring => done,
        () = progress.keep_showing() => unreachable!("it is shown for ever"),
    };
    progress.finish();
    Ok(run.outcome(options, &done?, interrupt.is_cancelled()))
}

/// What of a run does not depend on what it measures.
struct Run {
    date: String,
    began: Instant,
    busy: Busy,
    machine: Machine,
    seed: u64,
}

impl Run {
    fn outcome(&self, options: &Options, ledger: &Ledger, interrupted: bool) -> Outcome {
        Outcome {
            date: self.date.clone(),
            took_s: self.began.elapsed().as_secs_f64(),
            busy: self.busy.share(),
            interrupted,
            machine: self.machine.clone(),
            settings: Settings {
                rounds: options.rounds(),
                peer_rounds: options.peer_rounds(),
                contenders: options.contenders,
                timings: options.timings(),
                seed: self.seed,
            },
            stores: ledger.stores.clone(),
            rows: ledger.rows.clone(),
            warnings: ledger.warnings.clone(),
        }
    }
}

fn announcement(stores: &[Store], plans: &[Plan], seed: u64) -> String {
    let names = stores.iter().zip(plans).map(|(store, plan)| {
        let peers = plan.programs.iter().filter(|program| program.is_peer);
        let peers: Vec<_> = peers.map(|peer| peer.name.as_str()).collect();
        let beside = if peers.is_empty() { "" } else { " beside " };
        let takes = progress::shown(plan.forecast());
        format!("{}{beside}{}: about {takes}", store.name, peers.join(", "))
    });
    let mut lines: Vec<_> = names.collect();
    lines.extend(plans.iter().filter_map(Plan::left_out));
    let forecast = progress::shown(plans.iter().map(Plan::forecast).sum());
    lines.push(format!("seed {seed}; about {forecast}. Ctrl-C keeps what was measured."));
    lines.join("\n")
}

/// Where the report goes.
fn place(options: &Options, around: &Surroundings) -> PathBuf {
    match &options.report {
        Some(directory) => from_here(directory),
        None => around.target.join("failover"),
    }
}

/// What will be written: the page stands for all that lies beside it.
fn targets(options: &Options, around: &Surroundings) -> impl Iterator<Item = PathBuf> {
    let json = options.json.as_deref().map(from_here);
    std::iter::once(place(options, around).join("index.html")).chain(json)
}

/// Writes the report, and what it is made of.
fn keep(outcome: &Outcome, options: &Options, around: &Surroundings) -> Result<PathBuf> {
    let page = report::write(outcome, &place(options, around))?;
    if let Some(file) = &options.json {
        outcome.write_json(&from_here(file))?;
    }
    Ok(page)
}

/// Shows the outcome: the table on standard output, the report and the JSON file where they were
/// asked for. Where there is no round there is no report: the run could not begin.
///
/// # Errors
/// A file cannot be written.
pub fn present(outcome: &Outcome, options: &Options, around: &Surroundings) -> Result<ExitCode> {
    println!("{}", table::render(outcome));
    // Whether it can be kept or not.
    for violation in outcome.violations() {
        eprintln!("{violation}");
    }
    // An earlier run's report stays where this one has nothing to say.
    if outcome.is_empty() {
        let why = if outcome.interrupted {
            "interrupted before anything was measured"
        } else {
            "no round was made"
        };
        eprintln!("{why}; {} is left as it was", place(options, around).display());
        return Ok(ExitCode::from(2));
    }
    let page = keep(outcome, options, around)?;
    println!("report: {}", page.display());
    Ok(outcome.exit_code())
}

/// Cargo runs a bench in the directory of its package; a path on the command line means the
/// directory in which the command was given.
pub(crate) fn from_here(path: &Path) -> PathBuf {
    match env::var_os("PWD") {
        Some(here) if env::var_os("CARGO").is_some() => Path::new(&here).join(path),
        _ => path.to_owned(),
    }
}
