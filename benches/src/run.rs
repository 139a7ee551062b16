use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Result, ensure};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crate::{
    Options, Outcome,
    machine::{Busy, Machine},
    outcome::Settings,
    plan::Plan,
    program::{Peer, Program},
    progress::Progress,
    report,
    stage::Stage,
    store::Store,
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
/// The options cannot work, a store could not be started, or a contender ended before anything
/// could be measured.
pub async fn measure(
    options: &Options,
    around: &Surroundings,
    interrupt: CancellationToken,
) -> Result<Outcome> {
    let stores = Store::all(options).await?;
    Peer::without_a_store(options, &stores)?;
    let (mut plans, mut warnings) = (Vec::new(), Vec::new());
    for store in &stores {
        let (programs, left_out) = Program::all(options, around, store).await?;
        plans.push(Plan::new(options, store, programs)?);
        warnings.extend(left_out);
    }
    let left_out: Vec<_> = plans.iter().filter_map(|plan| plan.left_out.as_deref()).collect();
    let nothing = plans.iter().all(|plan| plan.phases.is_empty());
    ensure!(!nothing, "there is nothing to measure: {}", left_out.join("; "));

    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let (began, busy) = (Instant::now(), Busy::since_now());
    let seed = options.seed.unwrap_or_else(rand::random);
    let machine = Machine::here();
    let progress = Progress::new(plans.iter().map(|plan| plan.rounds(options)).sum());
    progress.say(&announcement(&stores, &plans, seed));
    warnings.iter().for_each(|warning| progress.say(warning));
    let stage = Stage {
        floor: around.floor.clone(),
        progress: progress.clone(),
        interrupt: interrupt.clone(),
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut measured, mut rows) = (Vec::new(), Vec::new());
    for (store, plan) in stores.iter().zip(&plans) {
        let done = stage.store(store, plan, options, &mut rng).await.inspect_err(|_| {
            progress.finish();
        });
        let (store, its_rows, its_warnings) = done?;
        measured.push(store);
        rows.extend(its_rows);
        warnings.extend(its_warnings);
    }
    progress.finish();
    Ok(Outcome {
        date,
        took_s: began.elapsed().as_secs_f64(),
        busy: busy.share(),
        interrupted: interrupt.is_cancelled(),
        machine,
        settings: Settings {
            rounds: options.rounds(),
            peer_rounds: options.peer_rounds(),
            contenders: options.contenders,
            timings: options.timing.clone(),
            seed,
        },
        stores: measured,
        rows,
        warnings,
    })
}

fn announcement(stores: &[Store], plans: &[Plan], seed: u64) -> String {
    let names = stores.iter().zip(plans).map(|(store, plan)| {
        let peers = plan.programs.iter().filter(|program| program.is_peer);
        let peers: String = peers.map(|peer| format!(" beside {}", peer.name)).collect();
        format!("{}{peers}", store.name)
    });
    let names: Vec<_> = names.collect();
    let forecast: Duration = plans.iter().map(|plan| plan.forecast).sum();
    let mut text = format!(
        "{}, seed {seed}; about {}. Ctrl-C keeps what was measured.",
        names.join(", "),
        humantime::format_duration(Duration::from_secs(forecast.as_secs()))
    );
    for left_out in plans.iter().filter_map(|plan| plan.left_out.as_deref()) {
        text.push('\n');
        text.push_str(left_out);
    }
    text
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
pub(crate) fn from_here(path: &Path) -> PathBuf {
    match env::var_os("PWD") {
        Some(here) if env::var_os("CARGO").is_some() => Path::new(&here).join(path),
        _ => path.to_owned(),
    }
}
