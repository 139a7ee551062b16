//! `cargo bench --bench cost`: what leading costs while nothing happens.
//!
//! Goals: `is_current()` takes at most two clock reads and 30 ns, a step of the kernel at most
//! 100 ns, both on this machine and in this run. Criterion measures; the goals are judged after it
//! by a second, plainer measurement of the same functions, for criterion's figures cannot be read.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::Criterion;
use leasehold_core::{
    Candidate, Elector, Era, Error, LeaseLock, LeaseName, MemoryLock, MemoryStore, Moment,
    Observation, RandomPart, Record, Swap, Timing, Version, create_free,
    kernel::{Answer, Bounds, Event, Kernel, Request, View},
};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn main() -> Result<(), Error> {
    // Listed or run as a test, a bench has nothing to do.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return Ok(());
    }
    let runtime = runtime();
    let lock = MemoryStore::new().lock(LeaseName::new("cost")?);
    runtime.block_on(create_free(&lock))?;
    let elector = Elector::new(lock, Candidate::new("cost")?);
    let leadership = runtime.block_on(elector.campaign(&CancellationToken::new()))?;
    let lead = leadership.leading();

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    criterion.bench_function("two clock reads", |b| b.iter(two_clock_reads));
    criterion.bench_function("Leading::is_current", |b| b.iter(|| lead.is_current()));
    let mut leader = Leader::new();
    criterion.bench_function("kernel: a renewal, 2 steps", |b| b.iter(|| leader.renew()));
    let memory = MemoryStore::new().lock(LeaseName::new("renewal")?);
    criterion.bench_function("renewal on the memory backend", |b| {
        b.iter_custom(|times| runtime.block_on(renewals(&memory, times)));
    });
    criterion.final_summary();

    let reads = nanos_each(two_clock_reads);
    let current = nanos_each(|| lead.is_current());
    let step = nanos_each(|| leader.renew()) / 2.0;
    println!(
        "\nis_current() {current:.0} ns, two clock reads {reads:.0} ns: {}",
        judge(current, reads + 30.0)
    );
    println!("a kernel step {step:.0} ns: {}", judge(step, 100.0));
    assert!(lead.is_current(), "the term ended while it was measured");
    runtime.block_on(leadership.resign());
    Ok(())
}

fn runtime() -> Runtime {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.expect("a runtime can be built")
}

/// What `is_current` reads.
fn two_clock_reads() -> (i64, i64) {
    (clock_gettime(ClockId::Boottime).tv_nsec, clock_gettime(ClockId::MonotonicRaw).tv_nsec)
}

/// A kernel that leads, and its store.
struct Leader {
    kernel: Kernel,
    now: u64,
    version: u64,
}

impl Leader {
    const RETRY: u64 = 150_000_000;

    fn new() -> Self {
        let bounds = Bounds::new(&Timing::fast(), Duration::from_secs(1));
        let kernel = Kernel::new(Arc::from("cost"), RandomPart::random(), bounds);
        let mut leader = Self { kernel, now: 1, version: 1 };
        let era = Era::new("bench");
        let free = Record::free(era.clone());
        let seen = Observation::of(era, Version::new(1).expect("small"), free);
        leader.kernel.step(Moment::uniform(1), Event::Campaign);
        let request = leader.kernel.step(Moment::uniform(1), Event::Answer(Answer::Observed(seen)));
        leader.grant(request);
        assert!(matches!(leader.kernel.view(), View::Leading { .. }));
        leader
    }

    /// The timer makes a request, and its answer is taken.
    fn renew(&mut self) {
        self.now += Self::RETRY;
        let request = self.kernel.step(Moment::uniform(self.now), Event::Timer);
        self.grant(request);
    }

    fn grant(&mut self, request: Option<Request>) {
        let Some(Request::Swap { expected, record }) = request else {
            panic!("a leader whose time has come renews: {request:?}");
        };
        self.version += 1;
        let version = Version::new(self.version).expect("below 2^62");
        let written = Observation::of(expected.era, version, record);
        let answer = Event::Answer(Answer::Swapped(Swap::Written(written)));
        black_box(self.kernel.step(Moment::uniform(self.now), answer));
    }
}

/// A leader's renewals through kernel and store: how long so many take.
async fn renewals(lock: &MemoryLock, times: u64) -> Duration {
    let bounds = Bounds::new(&Timing::fast(), Duration::from_secs(1));
    let mut kernel = Kernel::new(Arc::from("cost"), RandomPart::random(), bounds);
    // Whatever is left of an earlier measurement.
    lock.delete();
    create_free(lock).await.expect("memory answers");
    let mut now = 1;
    let mut request = kernel.step(Moment::uniform(now), Event::Campaign);
    let mut began = Instant::now();
    let mut left = times;
    while left > 0 {
        let answer = match request.take() {
            Some(Request::Observe) => {
                Answer::Observed(lock.observe().await.expect("memory answers"))
            }
            Some(Request::Swap { expected, record }) => {
                Answer::Swapped(lock.swap(&expected, &record).await.expect("memory answers"))
            }
            None => {
                if now == 1 {
                    began = Instant::now();
                }
                left -= 1;
                now += Leader::RETRY;
                request = kernel.step(Moment::uniform(now), Event::Timer);
                continue;
            }
        };
        request = kernel.step(Moment::uniform(now), Event::Answer(answer));
    }
    assert!(matches!(kernel.view(), View::Leading { .. }));
    began.elapsed()
}

/// The median of many batches.
fn nanos_each<T>(mut once: impl FnMut() -> T) -> f64 {
    const BATCH: u32 = 10_000;
    let mut batches: Vec<_> = (0..101)
        .map(|_| {
            let began = Instant::now();
            (0..BATCH).for_each(|_| drop(black_box(once())));
            began.elapsed().as_nanos() as f64 / f64::from(BATCH)
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[batches.len() / 2]
}

fn judge(value: f64, goal: f64) -> String {
    let verdict = if value <= goal { "met" } else { "MISSED" };
    format!("goal ≤ {goal:.0} ns {verdict}")
}
