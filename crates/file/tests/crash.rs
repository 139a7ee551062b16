//! Processes that are killed: their leases are given on at once, and never given away before.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::common::{
    Author,
    process::{Process, given},
};
use futures::{StreamExt, stream::BoxStream};
use leasehold_core::{Error, LeaseLock, Observation, Tenure};

const ROUNDS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_holder_is_shown_as_gone_by_the_watch() {
    let directory = tempfile::tempdir().unwrap();
    let standby = Author::of(directory.path());
    let mut watch = standby.lock.watch();
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut holder = Process::start("crash::hold_the_lease", directory.path());
        let version: u64 = holder.line("held ").parse().unwrap();
        until(&mut watch, |seen| seen.version.number() == version).await;
        let killed = Instant::now();
        holder.kill();
        let seen = until(&mut watch, |seen| seen.holder_gone).await;
        took.push(killed.elapsed());
        assert_eq!(seen.version.number(), version);
        assert_eq!(standby.look().await, seen);
    }
    took.sort();
    println!(
        "from SIGKILL to the observation that the holder is gone, {ROUNDS} times: p50 {:?}, p90 \
         {:?}, max {:?}",
        took[ROUNDS / 2],
        took[ROUNDS * 9 / 10],
        took[ROUNDS - 1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_at_any_instant_of_a_swap_leaves_a_whole_record_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let survivor = Author::of(directory.path());
    let mut seen = survivor.hold().await;
    for round in 0..150_u32 {
        let mut writer = Process::start("crash::write_without_end", directory.path());
        let first: u64 = writer.line("held ").parse().unwrap();
        assert!(first > seen.version.number());
        // Each time at another instant of the some hundred microseconds that a swap takes.
        let at = Instant::now() + Duration::from_micros(7) * round;
        while Instant::now() < at {
            let amid = survivor.look().await;
            assert!(amid.version.number() >= first, "went back to {amid:?}");
            is_held(&amid);
        }
        drop(writer);
        let left = survivor.look().await;
        assert!(left.version.number() >= first, "went back from {first} to {left:?}");
        is_held(&left);
        assert!(left.holder_gone, "a dead holder is not shown as gone: {left:?}");
        seen = survivor.write(&left, &survivor.held(&left)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_the_holder_started_does_not_seem_to_be_the_holder() {
    let directory = tempfile::tempdir().unwrap();
    let standby = Author::of(directory.path());
    let mut watch = standby.lock.watch();
    let mut holder = Process::start("crash::hold_the_lease_and_start_a_program", directory.path());
    let program: i32 = holder.line("started ").parse().unwrap();
    holder.kill();
    until(&mut watch, |seen| seen.holder_gone).await;
    let program = rustix::process::Pid::from_raw(program).unwrap();
    rustix::process::kill_process(program, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_lock_that_is_dropped_while_it_holds_is_a_death_and_leaves_its_proof() {
    let directory = tempfile::tempdir().unwrap();
    let (holder, standby) = (Author::of(directory.path()), Author::of(directory.path()));
    let mut watch = standby.lock.watch();
    holder.hold().await;
    until(&mut watch, |seen| seen.record.is_some() && !seen.holder_gone).await;
    drop(holder);
    until(&mut watch, |seen| seen.holder_gone).await;
}

#[tokio::test]
async fn the_death_of_one_elector_is_not_taken_for_that_of_another_in_the_same_process() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (Author::of(directory.path()), Author::of(directory.path()));
    let released = one.hold().await;
    let free = one.write(&released, &one.record(&released, Tenure::Free)).await;
    let held = other.write(&free, &other.held(&free)).await;
    drop(one);
    let third = Author::of(directory.path());
    assert_eq!(third.look().await, held);
    assert!(!held.holder_gone);
}

#[tokio::test]
#[ignore = "the part of a holder in a process of its own"]
async fn hold_the_lease() {
    let author = Author::of(&given());
    println!("held {}", author.hold().await.version.number());
    std::future::pending::<()>().await;
}

#[tokio::test]
#[ignore = "the part of a holder in a process of its own"]
async fn hold_the_lease_and_start_a_program() {
    let author = Author::of(&given());
    author.hold().await;
    let mut program = Command::new("sleep").arg("60").spawn().unwrap();
    println!("started {}", program.id());
    program.wait().unwrap();
}

#[tokio::test]
#[ignore = "the part of a writer in a process of its own"]
async fn write_without_end() {
    let author = Author::of(&given());
    println!("held {}", author.hold().await.version.number());
    loop {
        author.hold().await;
    }
}

fn is_held(seen: &Observation) {
    let tenure = seen.record.as_ref().map(|record| &record.tenure);
    assert!(matches!(tenure, Some(Tenure::Held { .. })), "given away: {seen:?}");
}

async fn until(
    watch: &mut BoxStream<'static, Result<Observation, Error>>,
    mut wanted: impl FnMut(&Observation) -> bool + Send,
) -> Observation {
    let shown = async {
        loop {
            let seen = watch.next().await.expect("a watch that does not end").unwrap();
            if wanted(&seen) {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), shown).await.expect("a watch that shows it")
}
