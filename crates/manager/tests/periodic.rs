//! Work that the leader does again and again.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use crate::common::{Diary, Started, free_lock, of};
use leasehold_core::MemoryLock;
use leasehold_manager::{Manager, Periodic};

const HOUR: Duration = Duration::from_secs(3600);

fn every(interval: Duration, diary: &Diary) -> Periodic {
    let diary = diary.clone();
    let run = move |_| {
        diary.note("run");
        async { Ok(()) }
    };
    Periodic::new("periodic", interval, run).unwrap().with_jitter(0.0).unwrap()
}

async fn manager_of(periodic: Periodic) -> (Manager, MemoryLock, Started) {
    let lock = free_lock().await;
    let manager = of("a", &lock);
    manager.add(periodic).unwrap();
    let started = Started::new(&manager);
    (manager, lock, started)
}

#[tokio::test]
async fn it_runs_when_leadership_is_gained_whatever_the_interval() {
    let diary = Diary::default();
    let (_, lock, started) = manager_of(every(HOUR, &diary)).await;
    diary.until("run", 1).await;
    lock.delete();
    diary.until("run", 2).await;
    started.stop().await.unwrap();
}

#[tokio::test]
async fn it_runs_again_at_its_interval() {
    let (diary, interval) = (Diary::default(), Duration::from_millis(100));
    let (_, _, started) = manager_of(every(interval, &diary)).await;
    diary.until("run", 1).await;
    let first = Instant::now();
    diary.until("run", 4).await;
    // The interval counts from the beginning of a run, which was a moment before it was seen.
    assert!(first.elapsed() > interval * 5 / 2, "{:?}", first.elapsed());
    started.stop().await.unwrap();
}

#[tokio::test]
async fn jitter_makes_a_run_later_and_never_earlier() {
    let (diary, interval) = (Diary::default(), Duration::from_millis(20));
    let (_, _, started) = manager_of(every(interval, &diary).with_jitter(1.0).unwrap()).await;
    diary.until("run", 1).await;
    let first = Instant::now();
    diary.until("run", 12).await;
    // Ten of up to 20 ms more each: that they make less than 20 ms is one case in 10!.
    assert!(first.elapsed() > interval * 11, "{:?}", first.elapsed());
    started.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_leader_neither_skips_a_run_nor_doubles_it_where_the_store_knows_the_last_one() {
    let interval = Duration::from_secs(1);
    let done = Arc::new(Mutex::new(None::<SystemTime>));
    let was_done = |ago: Duration| *done.lock().unwrap() = Some(SystemTime::now() - ago);
    let diary = Diary::default();
    let (note, store, shown) = (diary.clone(), done.clone(), done.clone());
    let run = move |_| {
        note.note("run");
        *store.lock().unwrap() = Some(SystemTime::now());
        async { Ok(()) }
    };
    let periodic =
        Periodic::new("periodic", interval, run).unwrap().with_jitter(0.0).unwrap().with_last_done(
            move || {
                let last = *shown.lock().unwrap();
                async move { Ok(last) }
            },
        );

    // Never done: at once.
    let (manager, _, started) = manager_of(periodic.clone()).await;
    diary.until("run", 1).await;
    let first = Instant::now();
    // The next term, which begins at once, finds it done, and does not double it.
    assert!(manager.step_down("jobs").await);
    diary.until("run", 2).await;
    assert!(first.elapsed() > interval * 9 / 10, "{:?}", first.elapsed());
    started.stop().await.unwrap();

    // Overdue, as nobody led: at once.
    was_done(3 * HOUR);
    let (_, _, started) = manager_of(periodic.clone()).await;
    diary.until("run", 3).await;
    started.stop().await.unwrap();

    // Done in the future, by a clock that is ahead: it is taken for done just now.
    *done.lock().unwrap() = Some(SystemTime::now() + interval / 2);
    let (manager, _, started) = manager_of(periodic.clone()).await;
    manager.elected().gained("jobs").await.unwrap();
    let gained = Instant::now();
    was_done(interval / 2);
    diary.until("run", 4).await;
    assert!(gained.elapsed() > interval * 9 / 20, "{:?}", gained.elapsed());
    started.stop().await.unwrap();

    // By one that is ahead by more than the interval: for an hour nothing would be done.
    *done.lock().unwrap() = Some(SystemTime::now() + HOUR);
    let (_, _, started) = manager_of(periodic).await;
    diary.until("run", 5).await;
    started.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_dropped_and_tried_again_before_the_interval_is_over() {
    let diary = Diary::default();
    let note = diary.clone();
    let run = move |_| {
        let note = note.clone();
        async move {
            let _stay = note.stay("run");
            pending().await
        }
    };
    let (interval, limit) = (Duration::from_secs(20), Duration::from_millis(20));
    let periodic = Periodic::new("slow", interval, run).unwrap().with_time_limit(limit).unwrap();
    let (_, _, started) = manager_of(periodic).await;
    diary.until("run starts", 1).await;
    let first = Instant::now();
    diary.until("run starts", 2).await;
    assert!(first.elapsed() > interval / 10 && first.elapsed() < interval);
    assert_eq!(diary.lines(), ["run starts", "run ends", "run starts"]);
    drop(started);
}

#[tokio::test]
async fn a_run_that_fails_is_tried_again_and_does_not_stop_the_manager() {
    let diary = Diary::default();
    let note = diary.clone();
    let run = move |_| {
        note.note("run");
        async { Err("no network".into()) }
    };
    let periodic = Periodic::new("failing", Duration::from_secs(2), run).unwrap();
    let (_, _, started) = manager_of(periodic).await;
    diary.until("run", 3).await;
    started.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_that_panics_stops_the_manager_and_is_named() {
    let run = |_| async { panic!("a bug") };
    let (_, _, started) = manager_of(Periodic::new("broken", HOUR, run).unwrap()).await;
    let error = started.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "the runnable \"broken\" panicked: a bug");
}
