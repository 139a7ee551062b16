//! `cargo bench --bench idle`: what many leaders in one process cost while nothing happens.
//!
//! Each leads a lease of its own in one store, by one client. Goal: 2 000 electors with the default
//! timing, in memory, take less than 10 % of one core. With `--store etcd` the bench tells what etcd
//! is asked, and what that costs it.

#[cfg(feature = "etcd")]
mod etcd;
mod store;

use std::time::{Duration, Instant};

use clap::Parser;
use leasehold_bench::Durations;
use leasehold_core::{Candidate, Elector, LeaseName, Timing, create_free};
use rustix::time::{ClockId, clock_gettime};
use tokio_util::sync::CancellationToken;

use self::store::{Spent, StoreKind};

/// What many idle leaders cost.
#[derive(Parser)]
#[command(name = "cargo bench --bench idle --")]
struct Options {
    /// How many, each with a lease of its own
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    electors: u32,
    /// LEASE/DEADLINE/RETRY
    #[arg(long, default_value = "15s/10s/2s")]
    timing: Durations,
    /// How long they are watched once all lead
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    over: Duration,
    /// Where the leases are: `memory`; with --features etcd `etcd`, three members that are started
    /// for this, or `etcd-single`, one
    #[arg(long, default_value = "memory")]
    store: StoreKind,
    /// Cargo says this to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// In memory.
const GOAL: f64 = 10.0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let Durations { lease, deadline, retry } = options.timing;
    let timing = Timing::new(lease, deadline, retry)?;
    let store = options.store.start()?;
    let shutdown = CancellationToken::new();
    let mut leaders = Vec::new();
    for number in 0..options.electors {
        let lock = store.lock(LeaseName::new(format!("lease-{number}"))?);
        create_free(&lock).await?;
        let elector = Elector::new(lock, Candidate::new("idle")?).with_timing(timing);
        let leadership = elector.campaign(&shutdown).await?;
        leaders.push((elector, leadership));
    }
    println!("{} electors lead; watching them for {:?}", leaders.len(), options.over);

    // Renewals that began together are no sign of idling.
    tokio::time::sleep(retry).await;
    let (began, used, spent) = (Instant::now(), cpu(), store.spent());
    tokio::time::sleep(options.over).await;
    let (took, used, spent_now) = (began.elapsed(), cpu() - used, store.spent());
    let current = leaders.iter().filter(|(_, leadership)| leadership.is_current()).count();

    let percent = used.as_secs_f64() / took.as_secs_f64() * 100.0;
    let renewals = f64::from(options.electors) * took.as_secs_f64() / retry.as_secs_f64();
    let verdict = match options.store {
        StoreKind::Memory if percent < GOAL => format!("; goal < {GOAL} % met"),
        StoreKind::Memory => format!("; goal < {GOAL} % MISSED"),
        #[cfg(feature = "etcd")]
        StoreKind::Etcd { .. } => String::new(),
    };
    println!(
        "{percent:.2} % of one core for {} electors at {timing}, {:.1} µs of it for each renewal; {current} still lead{verdict}",
        options.electors,
        used.as_secs_f64() * 1e6 / renewals,
    );
    if let (Some(before), Some(after)) = (spent, spent_now) {
        println!("{}: {}", options.store, asked(before, after, took, renewals));
    }
    anyhow::ensure!(
        current == leaders.len(),
        "{} lost their lease while idle",
        leaders.len() - current
    );
    Ok(())
}

/// What the servers were asked in between, and what it cost them.
fn asked(before: Spent, after: Spent, took: Duration, renewals: f64) -> String {
    let requests = after.requests - before.requests;
    let mut text = format!(
        "{:.0} requests a second, {:.2} for each renewal",
        requests / took.as_secs_f64(),
        requests / renewals
    );
    if let Some((before, after)) = before.cpu.zip(after.cpu) {
        let percent = (after - before) / took.as_secs_f64() * 100.0;
        text += &format!("; {percent:.1} % of one core for all members together");
    }
    text
}

/// The processor time of this process, all its threads.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
