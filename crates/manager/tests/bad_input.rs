//! What cannot be right is said before anything starts.

use std::time::Duration;

use crate::common::{Diary, Started, builder, free_lock, free_lock_of};
use leasehold_core::{MemoryStore, Timing};
use leasehold_manager::{Builder, Group, Manager, Periodic};

#[tokio::test]
async fn two_leases_with_one_name() {
    let store = MemoryStore::new();
    let (one, other) = (free_lock_of(&store, "one").await, free_lock_of(&store, "other").await);
    let error = builder("a").with_lease("jobs", one).with_lease("jobs", other).build().unwrap_err();
    assert_eq!(error.to_string(), "two leases are called \"jobs\": rename one of them");
}

#[tokio::test]
async fn a_lease_of_no_name() {
    let error = builder("a").with_lease("", free_lock().await).build().unwrap_err();
    assert!(error.to_string().ends_with("has an empty name"), "{error}");
}

#[tokio::test]
async fn one_lease_with_two_names() {
    let lock = free_lock().await;
    let builder = builder("a").with_lease("jobs", lock.clone()).with_lease("tasks", lock);
    let said = builder.build().unwrap_err().to_string();
    assert!(said.starts_with("\"jobs\" and \"tasks\" describe themselves as the same, "), "{said}");
}

#[tokio::test]
async fn no_lease_for_one_that_needs_it() {
    let manager = builder("a").build().unwrap();
    let error = manager.add(Diary::default().worker("rotation")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the runnable \"rotation\" needs leader election, and the manager has no lease: add one with \
         `with_lease`, or let it say that it needs none"
    );
}

#[tokio::test]
async fn several_leases_and_none_is_named_or_another() {
    let store = MemoryStore::new();
    let manager = builder("a")
        .with_lease("certs", free_lock_of(&store, "certs").await)
        .with_lease("backups", free_lock_of(&store, "backups").await)
        .build()
        .unwrap();
    let diary = Diary::default();
    let said = manager.add(diary.worker("rotation")).unwrap_err().to_string();
    assert!(said.ends_with("say with `add_to` which of \"certs\", \"backups\""), "{said}");
    let said = manager.add_to("certificates", diary.worker("rotation")).unwrap_err().to_string();
    assert!(said.ends_with("it has \"certs\", \"backups\""), "{said}");
    let said = manager.add_to("certs", diary.resident("server", Group::Servers)).unwrap_err();
    assert!(said.to_string().contains("says that it needs no leader election"), "{said}");
    manager.add_to("certs", diary.worker("rotation")).unwrap();
}

#[tokio::test]
async fn numbers_that_cannot_be() {
    let work = |interval| Periodic::new("rotation", interval, |_| async { Ok(()) });
    let error = work(Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "the interval of \"rotation\" is 0: it must be longer");
    let hourly = || work(Duration::from_secs(3600)).unwrap();
    let error = hourly().with_time_limit(Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "the time limit of \"rotation\" is 0: it must be longer");
    for share in [-0.1, 1.1, f64::NAN] {
        let error = hourly().with_jitter(share).unwrap_err();
        assert!(error.to_string().ends_with("it must be from 0 to 1"), "{error}");
    }
    let error = builder("a").with_graceful_stop(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("graceful stop is 0"), "{error}");
    let error = Manager::builder("").build().unwrap_err();
    assert!(error.to_string().contains("the name is empty"), "{error}");
}

#[tokio::test]
async fn a_timing_that_the_store_refuses() {
    let ms = Duration::from_millis;
    let timing = Timing::new(ms(90), ms(40), ms(5)).unwrap();
    let refused = |builder: Builder| builder.with_timing(timing).build().unwrap_err().to_string();
    let said = refused(builder("a").with_lease("jobs", free_lock().await));
    assert!(said.starts_with("the lease \"jobs\": a lease duration of 90ms"), "{said}");
    let said = refused(builder("a").with_standby_lease(free_lock().await));
    assert!(said.starts_with("the lease of those who stand by: a lease duration of"), "{said}");
}

#[tokio::test]
async fn durations_without_an_end() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager =
        builder("a").with_lease("jobs", lock).with_graceful_stop(Duration::MAX).build().unwrap();
    let note = diary.clone();
    let once = Periodic::new("once per term", Duration::MAX, move |_| {
        note.note("run");
        async { Ok(()) }
    });
    manager.add(once.unwrap().with_time_limit(Duration::MAX).unwrap()).unwrap();
    let started = Started::new(&manager);
    diary.until("run", 1).await;
    started.stop().await.unwrap();
    assert_eq!(diary.lines(), ["run"]);
}
