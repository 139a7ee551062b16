//! A peer: what a careful user of rslock writes with its `LockManager`, in the shape of the contender.
//! It corrects nothing that the crate does.
//!
//! A lock of the lease duration is acquired, and extended at the retry interval; the work goes on for
//! as long as the crate says that it is valid, by a timer, and ends with an extension that fails, for
//! that has also unlocked. Standbys try as often as the crate has it: three times with a random pause
//! below the retry interval, and again.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Parser;
use leasehold_bench_shape::{ContenderOptions, Order, Orders, Shift, Voice, monotonic};
use rslock::{Lock, LockManager};
use serde_json::json;
use tokio::time;
use url::Url;

/// Campaigns with rslock, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

struct Candidate {
    manager: LockManager,
    name: String,
    lease: Duration,
    retry: Duration,
    work_every: Duration,
    voice: Arc<Voice>,
    trace: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = run(Options::parse().contender).await;
    if let Err(error) = &done {
        eprintln!("error: {error:#}");
    }
    // What waits for standard input blocks a thread that nobody can wake.
    std::process::exit(i32::from(done.is_err()));
}

async fn run(options: ContenderOptions) -> anyhow::Result<()> {
    let mut orders = Orders::listen()?;
    let mut url = Url::parse(&options.url)?;
    let name = url.fragment().context("redis://host:port#NAME is needed")?.to_owned();
    ensure!(url.scheme() == "redis", "redis://host:port#NAME is needed");
    url.set_fragment(None);
    let timing = options.timing;
    let mut manager = LockManager::new(vec![url.as_str()]);
    manager.set_retry(3, timing.retry);
    let candidate = Candidate {
        manager,
        // A name of its own beside what Leasehold writes.
        name: format!("rslock:{name}"),
        lease: timing.lease,
        retry: timing.retry,
        work_every: options.work_every,
        voice: Arc::new(Voice::new(&options.id)),
        trace: options.trace,
    };
    candidate.voice.say("ready", json!({}));
    loop {
        match candidate.campaign(&mut orders).await? {
            Some(Order::Exit) => break,
            Some(Order::StepDown) => {
                // Until every standby has tried.
                if time::timeout(timing.retry * 2, orders.exit()).await.is_ok() {
                    break;
                }
            }
            None => {}
        }
    }
    candidate.voice.say("exit", json!({}));
    Ok(())
}

impl Candidate {
    /// One campaign, and the term that it wins: until it is lost, or an order ends it.
    async fn campaign(&self, orders: &mut Orders) -> anyhow::Result<Option<Order>> {
        let guard = tokio::select! {
            guard = self.manager.acquire(&*self.name, self.lease) => guard?,
            () = orders.exit() => return Ok(Some(Order::Exit)),
        };
        let now = monotonic();
        if self.trace {
            // The crate tells how much of the lease was left when it had the answer, less a drift.
            let drift = (self.lease.as_millis() as f32 * 0.01) as u64 + 2;
            let left = guard.lock.validity_time as u64 + drift;
            let took = (self.lease.as_millis() as u64).saturating_sub(left) * 1_000_000;
            self.voice.say_at(now - took, "sending", json!({}));
        }
        let until = AtomicU64::new(0);
        self.believe(&until, now, &guard.lock);
        let mut shift = Shift::start(&self.voice, None);
        let may = || monotonic() < until.load(Ordering::Relaxed);
        let renewing = self.renew(&guard.lock, &until);
        let happens = async {
            tokio::select! {
                order = orders.next() => Some(order),
                () = renewing => None,
            }
        };
        let order = match shift.until(self.work_every, may, happens).await {
            Some(Some(order)) => {
                shift.because("resigned");
                Some(order)
            }
            Some(None) => None,
            None => {
                shift.because("lapsed");
                None
            }
        };
        drop(shift);
        let _ = time::timeout(self.lease, guard.release()).await;
        Ok(order)
    }

    /// Extends it, until that fails.
    fn renew<'a>(&'a self, lock: &'a Lock, until: &'a AtomicU64) -> impl Future<Output = ()> + 'a {
        async move {
            loop {
                time::sleep(self.retry).await;
                let sent = monotonic();
                if self.trace {
                    self.voice.say_at(sent, "sending", json!({}));
                }
                match self.manager.extend(lock, self.lease).await {
                    Ok(extended) => self.believe(until, sent, &extended),
                    Err(error) => {
                        eprintln!("it could not be extended: {error}");
                        return;
                    }
                }
            }
        }
    }

    fn believe(&self, until: &AtomicU64, sent: u64, lock: &Lock) {
        let end = monotonic() + lock.validity_time as u64 * 1_000_000;
        until.store(end, Ordering::Relaxed);
        if self.trace {
            self.voice.say("renewed", json!({"sent": sent, "until": end}));
        }
    }
}
