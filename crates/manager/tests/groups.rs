//! Groups: who starts after whom, and stops before whom.

use std::{borrow::Cow, sync::Arc};

use crate::common::{Diary, Started, builder, free_lock, of};
use async_trait::async_trait;
use leasehold_core::{ErrorKind, Leading};
use leasehold_manager::{BoxError, Error, Func, Group, Manager, Runnable, Scope};
use tokio::sync::Notify;

const ORDER: [&str; 5] = ["server", "webhook", "cache", "other", "leader"];

#[tokio::test(flavor = "multi_thread")]
async fn groups_start_in_order_and_stop_in_reverse() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    // Added the other way round.
    manager.add(diary.worker("leader")).unwrap();
    manager.add(diary.resident("other", Group::Others)).unwrap();
    manager.add(diary.resident("cache", Group::Caches)).unwrap();
    manager.add(diary.resident("webhook", Group::Webhooks)).unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    let started = Started::new(&manager);
    diary.until("leader starts", 1).await;
    started.stop().await.unwrap();

    let starts = ORDER.map(|name| format!("{name} starts"));
    let mut ends = ORDER.map(|name| format!("{name} ends"));
    ends.reverse();
    assert_eq!(diary.lines(), [starts, ends].concat());
    assert!(crate::common::is_free(&lock).await);
}

/// Ends its `synced` when it is told to.
struct Cache {
    diary: Diary,
    full: Arc<Notify>,
}

#[async_trait]
impl Runnable for Cache {
    fn name(&self) -> Cow<'_, str> {
        "cache".into()
    }

    fn needs_leader_election(&self) -> bool {
        false
    }

    fn group(&self) -> Group {
        Group::Caches
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        self.diary.note("cache starts");
        scope.stopping().await;
        Ok(())
    }

    async fn synced(&self) {
        self.full.notified().await;
        self.diary.note("cache synced");
    }
}

#[tokio::test]
async fn what_comes_after_the_caches_waits_until_they_are_synced() {
    let (lock, diary, full) = (free_lock().await, Diary::default(), Arc::new(Notify::new()));
    let manager = of("a", &lock);
    manager.add(Cache { diary: diary.clone(), full: full.clone() }).unwrap();
    manager.add(diary.resident("other", Group::Others)).unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let started = Started::new(&manager);
    diary.until("cache starts", 1).await;
    // Added while the manager waits: one starts, the other waits, too.
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager.add(diary.resident("late", Group::Others)).unwrap();
    diary.until("server starts", 1).await;
    assert_eq!(diary.lines(), ["cache starts", "server starts"]);

    full.notify_one();
    diary.until("leader starts", 1).await;
    for name in ["other starts", "late starts", "leader starts"] {
        assert!(diary.place("cache synced") < diary.place(name), "{:?}", diary.lines());
    }
    started.stop().await.unwrap();
}

#[tokio::test]
async fn a_manager_can_be_stopped_while_its_caches_are_not_synced() {
    let (diary, full) = (Diary::default(), Arc::new(Notify::new()));
    let manager = builder("a").build().unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager.add(Cache { diary: diary.clone(), full }).unwrap();
    manager.add(diary.resident("other", Group::Others)).unwrap();
    let started = Started::new(&manager);
    diary.until("cache starts", 1).await;
    started.stop().await.unwrap();
    assert_eq!(diary.lines(), ["server starts", "cache starts", "server ends"]);
}

#[tokio::test]
async fn what_is_added_while_the_manager_runs_starts_in_its_group() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    manager.add(diary.worker("first")).unwrap();
    let started = Started::new(&manager);
    diary.until("first starts", 1).await;
    let token = manager.elected().gained("jobs").await.unwrap();

    let warm = diary.clone();
    let second = diary.worker("second").with_warm_up(move |scope| {
        warm.note(format!("warm {}", scope.leading().is_err()));
        async { Ok(()) }
    });
    manager.add(second).unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    diary.until("second starts", 1).await;
    diary.until("server starts", 1).await;
    assert!(diary.place("warm true") < diary.place("second starts"));
    assert_eq!(manager.elected().now()["jobs"], token, "in the same term");
    started.stop().await.unwrap();
    assert!(diary.place("second ends") < diary.place("server ends"));
}

#[tokio::test]
async fn nothing_can_be_added_to_a_manager_that_has_stopped_nor_is_it_started_again() {
    let manager = builder("a").build().unwrap();
    Started::new(&manager).stop().await.unwrap();
    let diary = Diary::default();
    let error = manager.add(diary.resident("server", Group::Servers)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the runnable \"server\" cannot be added: the manager has stopped"
    );
    assert!(matches!(Started::new(&manager).ended().await, Err(Error::Started)));
}

#[tokio::test]
async fn an_error_of_one_stops_all_in_order_and_is_named() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    let fail = Arc::new(Notify::new());
    let told = fail.clone();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager
        .add(Func::everywhere("broken", move |_| {
            let told = told.clone();
            async move {
                told.notified().await;
                Err("no disk".into())
            }
        }))
        .unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let started = Started::new(&manager);
    diary.until("leader starts", 1).await;
    fail.notify_one();
    let error = started.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "the runnable \"broken\" failed: no disk");
    assert_eq!(diary.lines(), ["server starts", "leader starts", "leader ends", "server ends"]);
    assert!(crate::common::is_free(&lock).await);
}

#[tokio::test]
async fn a_panic_of_one_stops_all_in_order_and_is_named_wherever_it_is() {
    for leads in [false, true] {
        let (lock, diary) = (free_lock().await, Diary::default());
        let manager = of("a", &lock);
        manager.add(diary.resident("server", Group::Servers)).unwrap();
        let broken = if leads {
            Func::leader_only("broken", |_| async { panic!("a bug") })
        } else {
            Func::everywhere("broken", |_| async { panic!("a bug") })
        };
        manager.add(broken).unwrap();
        let error = Started::new(&manager).ended().await.unwrap_err();
        assert_eq!(error.to_string(), "the runnable \"broken\" panicked: a bug");
        assert_eq!(diary.lines(), ["server starts", "server ends"]);
        assert!(crate::common::is_free(&lock).await);
    }
}

#[tokio::test]
async fn a_manager_that_is_dropped_takes_all_with_it_and_gives_the_lease_back() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let run = manager.start(tokio_util::sync::CancellationToken::new());
    tokio::select! {
        _ = run => unreachable!("nobody stops it"),
        () = diary.until("leader starts", 1) => {}
    }
    diary.until("server ends", 1).await;
    diary.until("leader ends", 1).await;
    crate::common::until(&lock, |record| record.holder().is_none()).await;
}

#[tokio::test]
async fn a_store_that_never_answers_stops_the_manager_and_is_named() {
    #[derive(Debug)]
    struct Deaf;
    #[async_trait]
    impl leasehold_core::LeaseLock for Deaf {
        fn describe(&self) -> String {
            "a deaf lease".to_owned()
        }
        fn guarantees(&self) -> leasehold_core::Guarantees {
            let store = leasehold_core::MemoryStore::new();
            store.lock(leasehold_core::LeaseName::new("jobs").unwrap()).guarantees()
        }
        async fn observe(&self) -> Result<leasehold_core::Observation, leasehold_core::Error> {
            Err(leasehold_core::Error::new(ErrorKind::Denied, "read a deaf lease", "no"))
        }
        async fn swap(
            &self,
            _: &leasehold_core::Observation,
            _: &leasehold_core::Record,
        ) -> Result<leasehold_core::Swap, leasehold_core::Error> {
            unreachable!("nothing was seen")
        }
        fn watch(
            &self,
        ) -> futures::stream::BoxStream<
            'static,
            Result<leasehold_core::Observation, leasehold_core::Error>,
        > {
            Box::pin(futures::stream::pending())
        }
    }
    let diary = Diary::default();
    let manager = builder("a").with_lease("jobs", Deaf).build().unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    let error = Started::new(&manager).ended().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the lease \"jobs\" cannot be stood for: could not read a deaf lease: no"
    );
    assert_eq!(diary.lines(), ["server starts", "server ends"]);
}

#[tokio::test]
async fn a_closure_is_a_runnable_that_needs_leader_election_and_has_the_name_of_its_function() {
    let closure = |_: Leading| async { Ok(()) };
    assert!(closure.needs_leader_election());
    assert!(closure.name().starts_with("a_closure_is_a_runnable"), "{}", closure.name());
    let manager: Manager = builder("a").build().unwrap();
    assert!(matches!(manager.add(closure), Err(Error::Invalid(_))));
}
