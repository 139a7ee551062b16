//! A process that wants one lease, works while it leads, and says what happens to it: one JSON
//! object a line on standard output. `benches/README.md` lists the lines.

mod trace;
mod work;

use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use leasehold::{Candidate, Elector, ErrorKind, Timing};
use leasehold_bench::{ContenderOptions, Durations, Order, Orders, Voice};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::work::Work;

/// Campaigns for a lease, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

// One thread, as a service would have it that does not much: no hop between threads is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = run(Options::parse()).await;
    if let Err(error) = &done {
        eprintln!("error: {error:#}");
    }
    // What waits for standard input blocks a thread that nobody can wake.
    std::process::exit(i32::from(done.is_err()));
}

async fn run(Options { contender: options }: Options) -> anyhow::Result<()> {
    let voice = Arc::new(Voice::new(&options.id));
    trace::install(options.trace.then(|| voice.clone()));

    let shutdown = CancellationToken::new();
    let mut orders = Orders::listen()?;
    let Durations { lease, deadline, retry } = options.timing;
    let timing = Timing::new(lease, deadline, retry).context("--timing")?;
    let lock = leasehold::connect(&options.url).await?;
    let elector = Elector::new(lock, Candidate::new(&options.id)?).with_timing(timing);
    voice.say("ready", json!({}));

    let work = Work::new(voice.clone(), options.work_every, shutdown.clone());
    let election = async {
        loop {
            match elector.run(shutdown.clone(), |lead| work.clone().lead(lead)).await {
                // A store that is late with its very first answer ends a campaign. A service would be
                // started again by whoever watches over it.
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    eprintln!("it campaigns again: {error:#}");
                }
                ended => return ended,
            }
        }
    };
    let obey = async {
        loop {
            match orders.next().await {
                Order::StepDown => {
                    work.resign();
                    elector.step_down().await;
                }
                Order::Exit => {
                    shutdown.cancel();
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    tokio::select! {
        ended = election => ended?,
        () = obey => {}
    }
    voice.say("exit", json!({}));
    Ok(())
}
