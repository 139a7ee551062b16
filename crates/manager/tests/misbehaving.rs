//! Runnables that do not do as they should. One that blocks its thread is aborted with its process,
//! which is tested with processes.

use std::{future::pending, time::Duration};

use crate::common::{Diary, Started, builder, free_lock, is_free, leader_only, of, until};
use leasehold_core::{Leading, MemoryLock, Tenure};
use leasehold_manager::{Error, Func, Group, Manager, Scope};

/// Short, and much longer than what behaves needs.
const LIMIT: Duration = Duration::from_millis(400);

fn impatient(lock: &MemoryLock) -> Manager {
    builder("a").with_lease("jobs", lock.clone()).with_graceful_stop(LIMIT).build().unwrap()
}

fn deaf_leader(diary: &Diary) -> Func {
    let diary = diary.clone();
    leader_only("deaf", move |_: Leading| {
        let diary = diary.clone();
        async move {
            let _stay = diary.stay("deaf");
            pending().await
        }
    })
}

#[tokio::test]
async fn a_leader_only_one_that_ignores_its_scope_is_dropped_before_the_lease_is_given_back() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = impatient(&lock);
    manager.add(deaf_leader(&diary)).unwrap();
    manager.add(diary.worker("good")).unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    let started = Started::new(&manager);
    diary.until("good starts", 1).await;
    diary.until("deaf starts", 1).await;
    let error = started.stop().await.unwrap_err();
    assert_eq!(error.to_string(), "asked to stop, and not ended within 400ms: \"deaf\"");
    assert_eq!(diary.lines()[3..], ["good ends", "deaf ends", "server ends"]);
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn after_a_loss_one_that_ignores_its_scope_is_dropped_and_started_anew() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    manager.add(deaf_leader(&diary)).unwrap();
    let started = Started::new(&manager);
    diary.until("deaf starts", 1).await;
    lock.delete();
    diary.until("deaf starts", 2).await;
    assert_eq!(diary.lines(), ["deaf starts", "deaf ends", "deaf starts"]);
    drop(started);
}

#[tokio::test]
async fn one_on_every_copy_that_ignores_its_scope_is_dropped_at_the_limit_and_named() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = impatient(&lock);
    let stays = diary.clone();
    manager
        .add(Func::everywhere("deaf", move |scope: Scope| {
            let stays = stays.clone();
            async move {
                let _stay = stays.stay("deaf");
                // What it spawns is of its name.
                scope.spawn(pending::<()>());
                pending().await
            }
        }))
        .unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let started = Started::new(&manager);
    diary.until("leader starts", 1).await;
    let asked = tokio::time::Instant::now();
    let error = started.stop().await.unwrap_err();
    assert!(asked.elapsed() >= LIMIT / 2, "it had its time");
    let names = match error {
        Error::Late { names, limit: LIMIT, .. } => names,
        other => panic!("{other}"),
    };
    assert_eq!(names, ["deaf".into()]);
    assert_eq!(diary.lines()[3..], ["leader ends", "deaf ends", "server ends"]);
    assert!(is_free(&lock).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_on_every_copy_that_blocks_its_thread_is_left_behind_and_named() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = impatient(&lock);
    let (free, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let stays = diary.clone();
    manager
        .add(Func::everywhere("blocking", move |_| {
            stays.note("blocking");
            let _ = blocked.lock().unwrap().recv();
            async { Ok(()) }
        }))
        .unwrap();
    let started = Started::new(&manager);
    diary.until("blocking", 1).await;
    let error = started.stop().await.unwrap_err();
    assert_eq!(error.to_string(), "asked to stop, and not ended within 400ms: \"blocking\"");
    drop(free);
}

#[tokio::test]
async fn one_that_cannot_warm_up_stops_the_manager_before_it_stands() {
    for panics in [false, true] {
        let (lock, diary) = (free_lock().await, Diary::default());
        let manager = of("a", &lock);
        manager.add(diary.resident("server", Group::Servers)).unwrap();
        manager
            .add(diary.worker("leader").with_warm_up(move |_| async move {
                assert!(!panics, "a bug");
                Err("no cache".into())
            }))
            .unwrap();
        let mut elected = manager.elected();
        let error = Started::new(&manager).ended().await.unwrap_err();
        let expected = if panics {
            "the runnable \"leader\" panicked: a bug"
        } else {
            "the runnable \"leader\" could not warm up: no cache"
        };
        assert_eq!(error.to_string(), expected);
        assert_eq!(diary.lines(), ["server starts", "server ends"]);
        assert!(elected.changed().await.unwrap().is_empty(), "it never led");
        assert!(is_free(&lock).await);
    }
}

#[tokio::test]
async fn a_panic_of_one_that_was_asked_to_stop_is_told() {
    let lock = free_lock().await;
    let manager = of("a", &lock);
    manager
        .add(leader_only("broken", |lead: Leading| async move {
            lead.stopping().await;
            panic!("a bug at the end")
        }))
        .unwrap();
    let started = Started::new(&manager);
    manager.elected().gained("jobs").await.unwrap();
    let error = started.stop().await.unwrap_err();
    assert_eq!(error.to_string(), "the runnable \"broken\" panicked: a bug at the end");
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn a_panic_in_what_one_has_spawned_stops_the_manager_and_is_named() {
    let lock = free_lock().await;
    let manager = of("a", &lock);
    manager
        .add(Func::everywhere("cache", |scope: Scope| async move {
            scope.spawn(async { panic!("a bug in the background") });
            scope.stopping().await;
            Ok(())
        }))
        .unwrap();
    let error = Started::new(&manager).ended().await.unwrap_err();
    assert_eq!(error.to_string(), "the runnable \"cache\" panicked: a bug in the background");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_cannot_be_dropped_keeps_its_lease_and_costs_no_other_its_time() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = impatient(&lock);
    let (free, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Arc::new(std::sync::Mutex::new(blocked));
    let stays = diary.clone();
    manager
        .add(leader_only("blocking", move |lead: Leading| {
            stays.note("blocking");
            let blocked = blocked.clone();
            let work = lead.spawn_blocking(move || {
                let _ = blocked.lock().unwrap().recv();
            });
            async move { Ok(work.await?) }
        }))
        .unwrap();
    let stays = diary.clone();
    manager
        .add(Func::everywhere("server", move |scope: Scope| {
            let stays = stays.clone();
            async move {
                scope.stopping().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                stays.note("server has ended by itself");
                Ok(())
            }
        }))
        .unwrap();
    let started = Started::new(&manager);
    diary.until("blocking", 1).await;
    let error = started.stop().await.unwrap_err();
    match error {
        Error::Late { leases, names, .. } => {
            assert_eq!(leases, ["jobs".into()]);
            assert!(!names.contains(&"server".into()), "{names:?}");
        }
        other => panic!("{other}"),
    }
    assert_eq!(diary.count("server has ended by itself"), 1);
    assert!(!is_free(&lock).await, "work goes on under it");
    drop(free);
    until(&lock, |record| record.tenure == Tenure::Free).await;
}

#[tokio::test(start_paused = true)]
async fn the_stop_of_all_groups_together_keeps_its_limit() {
    let manager = builder("a").with_graceful_stop(LIMIT).build().unwrap();
    for group in [Group::Servers, Group::Webhooks, Group::Caches, Group::Others] {
        let deaf = Func::everywhere(format!("{group:?}"), |_| pending());
        manager.add(deaf.in_group(group)).unwrap();
    }
    let started = Started::new(&manager);
    // All have begun when nothing is left to do but to wait.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = tokio::time::Instant::now();
    let error = started.stop().await.unwrap_err();
    assert!(asked.elapsed() <= LIMIT + Duration::from_millis(10), "{:?}", asked.elapsed());
    assert!(asked.elapsed() >= LIMIT / 2, "{:?}", asked.elapsed());
    assert!(matches!(error, Error::Late { names, .. } if names.len() == 4));
}
