//! Which elections are held, and on how many threads.

use std::{
    env, panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// The one election that is asked for.
pub(crate) fn asked_for() -> Option<u64> {
    number("LEASEHOLD_SEED")
}

/// How many are asked for.
pub(crate) fn count(usually: u64) -> u64 {
    number("LEASEHOLD_SEEDS").unwrap_or(usually)
}

/// Judges the elections of so many seeds, and returns the sum of what was counted.
pub(crate) fn judge(count: u64, judge: impl Fn(u64) -> u64 + Sync) -> u64 {
    let (next, sum) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    match panic::catch_unwind(panic::AssertUnwindSafe(|| judge(seed))) {
                        Ok(counted) => sum.fetch_add(counted, Ordering::Relaxed),
                        Err(reason) => {
                            // The other threads need not go on.
                            next.store(count, Ordering::Relaxed);
                            eprintln!("replay it with LEASEHOLD_SEED={seed}");
                            panic::resume_unwind(reason);
                        }
                    };
                }
            });
        }
    });
    sum.into_inner()
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}
