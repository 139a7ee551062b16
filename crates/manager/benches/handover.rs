//! How long does it take from the order to step down until all leader-only runnables run elsewhere?
//!
//! Goal: a hundred of them, over a directory, within 10 ms in the median.
//!
//! Method: two managers, of one process, that hand the lease to each other. Before it, the hundred of the
//! former leader are asked to stop and end, and the lease is written free; the clock stops when the last
//! of the other hundred has been polled. What it does not say: how long work takes to end or to begin
//! that has more to do than to count; and between processes their wake-up is added.
//!
//! `cargo bench -p leasehold-manager`, or with the number of rounds: `-- 1000`.

#![allow(clippy::unwrap_used, reason = "a bench may fail anywhere")]

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use leasehold_core::{Leading, LeaseName, Timing, create_free};
use leasehold_file::FileLock;
use leasehold_manager::{Func, Manager};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const RUNNABLES: usize = 100;
const GOAL: Duration = Duration::from_millis(10);

struct Side {
    manager: Manager,
    running: watch::Receiver<usize>,
}

fn side(name: &str, lock: FileLock, shutdown: &CancellationToken) -> Side {
    let manager = Manager::builder(name)
        .with_lease("jobs", lock)
        .with_timing(Timing::default())
        .build()
        .unwrap();
    let (counter, running) = watch::channel(0);
    let counter = Arc::new(counter);
    for number in 0..RUNNABLES {
        let counter = counter.clone();
        let work = move |lead: Leading| {
            let counter = counter.clone();
            async move {
                counter.send_modify(|running| *running += 1);
                lead.stopping().await;
                counter.send_modify(|running| *running -= 1);
                Ok(())
            }
        };
        manager.add(Func::leader_only(format!("runnable {number}"), work)).unwrap();
    }
    let (started, shutdown) = (manager.clone(), shutdown.clone());
    tokio::spawn(async move { started.start(shutdown).await.unwrap() });
    Side { manager, running }
}

impl Side {
    async fn all_run(&self) {
        self.running.clone().wait_for(|running| *running == RUNNABLES).await.unwrap();
    }

    async fn follows(&self, leader: &str) {
        let mut status = self.manager.status("jobs").unwrap();
        let follows = |status: &leasehold_core::Status| {
            *status == leasehold_core::Status::Following { leader: Some(leader.into()) }
        };
        status.wait_for(follows).await.unwrap();
    }
}

#[tokio::main]
async fn main() {
    let rounds = env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(200);
    let directory = tempfile::tempdir().unwrap();
    let lock = || FileLock::open(directory.path(), LeaseName::new("jobs").unwrap()).unwrap();
    create_free(&lock()).await.unwrap();
    let shutdown = CancellationToken::new();
    let a = side("a", lock(), &shutdown);
    a.all_run().await;
    let b = side("b", lock(), &shutdown);
    let mut taken = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let (from, to, name) = if round % 2 == 0 { (&a, &b, "a") } else { (&b, &a, "b") };
        to.follows(name).await;
        let asked = Instant::now();
        let stepping_down = from.manager.step_down("jobs");
        let (stepped_down, taken_ms) = tokio::join!(stepping_down, async {
            to.all_run().await;
            asked.elapsed()
        });
        assert!(stepped_down);
        taken.push(taken_ms);
    }
    shutdown.cancel();
    taken.sort();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
    println!(
        "{RUNNABLES} leader-only runnables, from resign to the last of them running, {rounds} rounds"
    );
    println!("p50 {:?}, p90 {:?}, p99 {:?}, max {:?}", at(0.5), at(0.9), at(0.99), at(1.0));
    let kept = if at(0.5) <= GOAL { "reached" } else { "MISSED" };
    println!("goal: p50 within {GOAL:?}: {kept}");
}
