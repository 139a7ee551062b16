//! Terms: what begins and ends with them, and what does not.

use std::{sync::Arc, time::Duration};

use crate::common::{Diary, Started, builder, free_lock, is_free, leader_only, of, quick};
use leasehold_core::{Candidate, Elector, End, Leading, Status};
use leasehold_manager::{Error, Func, Group, NotLeading, OnLoss, Runnable, Scope};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_leader_only_runnable_is_given_its_term_and_a_standby_starts_none() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let (leader, standby) = (of("a", &lock), of("b", &lock));
    let (given, mut scopes) = mpsc::unbounded_channel();
    let work = leader_only("work", move |lead: Leading| {
        let given = given.clone();
        async move {
            given.send(lead.clone()).unwrap();
            lead.stopping().await;
            Ok(())
        }
    });
    leader.add(work).unwrap();
    standby.add(diary.worker("work")).unwrap();
    standby.add(diary.resident("server", Group::Servers)).unwrap();
    let started = Started::new(&leader);
    let lead = scopes.recv().await.unwrap();
    assert_eq!(leader.elected().now()["jobs"], lead.token());

    let following = Started::new(&standby);
    let mut status = standby.status("jobs").unwrap();
    let follows = |status: &Status| *status == Status::Following { leader: Some("a".into()) };
    status.wait_for(follows).await.unwrap();
    assert_eq!(diary.lines(), ["server starts"]);
    assert!(standby.elected().now().is_empty());

    // The end of the leader is the end of its term, and the beginning of the next.
    started.stop().await.unwrap();
    assert_eq!(lead.end(), Some(End::Resigned));
    assert!(standby.elected().gained("jobs").await.unwrap() > lead.token());
    diary.until("work starts", 1).await;
    following.stop().await.unwrap();
    assert!(is_free(&lock).await);
}

#[tokio::test]
async fn what_runs_on_every_copy_cannot_have_the_leadership() {
    let (told, mut said) = mpsc::unbounded_channel();
    let manager = builder("a").build().unwrap();
    manager
        .add(Func::everywhere("server", move |scope: Scope| {
            told.send(scope.leading().map(drop)).unwrap();
            async { Ok(()) }
        }))
        .unwrap();
    let started = Started::new(&manager);
    assert_eq!(said.recv().await.unwrap(), Err(NotLeading));
    started.stop().await.unwrap();
}

#[tokio::test]
async fn after_a_loss_all_else_goes_on_and_the_next_term_starts_the_same_runnables_anew() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    let warm = diary.clone();
    manager
        .add(diary.worker("one").with_warm_up(move |_| {
            warm.note("one warms up");
            async { Ok(()) }
        }))
        .unwrap();
    manager.add(diary.worker("other")).unwrap();
    let mut elected = manager.elected();
    let started = Started::new(&manager);
    let first = elected.gained("jobs").await.unwrap();
    diary.until("other starts", 1).await;
    // An operator deletes the record under the living leader.
    lock.delete();
    elected.lost("jobs").await.unwrap();
    diary.until("one starts", 2).await;
    diary.until("other starts", 2).await;
    assert!(elected.gained("jobs").await.unwrap() > first);
    assert_eq!(diary.count("one ends"), 1);
    assert_eq!(diary.count("one warms up"), 1);
    assert_eq!(diary.count("server starts"), 1);
    assert_eq!(diary.count("server ends"), 0);
    started.stop().await.unwrap();
}

#[tokio::test]
async fn with_exit_on_loss_the_manager_stops_and_says_which_lease_it_was() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager =
        builder("a").with_lease("jobs", lock.clone()).on_loss(OnLoss::Exit).build().unwrap();
    manager.add(diary.resident("server", Group::Servers)).unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let started = Started::new(&manager);
    diary.until("leader starts", 1).await;
    lock.delete();
    let error = started.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "the lease \"jobs\" is led no more");
    assert_eq!(diary.lines(), ["server starts", "leader starts", "leader ends", "server ends"]);
}

#[tokio::test]
async fn a_clean_stop_is_no_loss() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = builder("a").with_lease("jobs", lock).on_loss(OnLoss::Exit).build().unwrap();
    manager.add(diary.worker("leader")).unwrap();
    let started = Started::new(&manager);
    diary.until("leader starts", 1).await;
    started.stop().await.unwrap();
}

#[tokio::test]
async fn the_lease_is_given_back_only_after_all_leader_only_runnables_have_ended() {
    let lock = free_lock().await;
    let manager = of("a", &lock);
    let (asked, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (heard, told) = (asked.clone(), finish.clone());
    // It drains in a task of its own, which its start does not wait for.
    struct Draining(Arc<Notify>, Arc<Notify>);
    #[async_trait::async_trait]
    impl Runnable for Draining {
        fn name(&self) -> std::borrow::Cow<'_, str> {
            "draining".into()
        }
        async fn start(&self, scope: Scope) -> Result<(), leasehold_manager::BoxError> {
            let (heard, told, inner) = (self.0.clone(), self.1.clone(), scope.clone());
            scope.spawn(async move {
                inner.stopping().await;
                heard.notify_one();
                told.notified().await;
                assert!(inner.leading().unwrap().is_current(), "draining work may still act");
            });
            Ok(())
        }
    }
    manager.add(Draining(heard, told)).unwrap();
    let started = Started::new(&manager);
    let token = manager.elected().gained("jobs").await.unwrap();
    started.shutdown.cancel();
    asked.notified().await;

    // A standby gets nothing until it has ended.
    let standby = Elector::new(lock.clone(), Candidate::new("b").unwrap()).with_timing(quick());
    let shutdown = CancellationToken::new();
    let mut status = standby.status();
    let campaign = standby.campaign(&shutdown);
    let story = async {
        let follows = |status: &Status| *status == Status::Following { leader: Some("a".into()) };
        status.wait_for(follows).await.unwrap();
        finish.notify_one();
        started.ended().await.unwrap();
    };
    let (lead, ()) = tokio::join!(campaign, story);
    assert!(lead.unwrap().token() > token);
}

#[tokio::test]
async fn a_step_down_leaves_it_to_another_and_the_process_stands_by() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let (one, other) = (of("a", &lock), of("b", &lock));
    one.add(diary.worker("one")).unwrap();
    other.add(diary.worker("other")).unwrap();
    let first = Started::new(&one);
    diary.until("one starts", 1).await;
    let second = Started::new(&other);
    let follows = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
    other.status("jobs").unwrap().wait_for(follows).await.unwrap();
    assert!(one.step_down("jobs").await);
    diary.until("other starts", 1).await;
    let follows = |status: &Status| *status == Status::Following { leader: Some("b".into()) };
    one.status("jobs").unwrap().wait_for(follows).await.unwrap();
    assert!(!one.step_down("jobs").await);
    second.stop().await.unwrap();
    diary.until("one starts", 2).await;
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_cold_copy_does_not_stand_and_can_be_stopped() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    let (cold, warm) = (diary.clone(), Arc::new(Notify::new()));
    let fill = warm.clone();
    manager
        .add(diary.worker("leader").with_warm_up(move |_| {
            let (cold, fill) = (cold.clone(), fill.clone());
            async move {
                let _stay = cold.stay("warm-up");
                fill.notified().await;
                Ok(())
            }
        }))
        .unwrap();
    let started = Started::new(&manager);
    diary.until("warm-up starts", 1).await;
    assert!(is_free(&lock).await);
    assert_eq!(manager.status("jobs").unwrap().now(), Status::Idle);
    warm.notify_one();
    diary.until("leader starts", 1).await;
    started.stop().await.unwrap();

    let manager = builder("b").with_lease("jobs", lock).build().unwrap();
    let cold = diary.clone();
    manager
        .add(diary.worker("never").with_warm_up(move |scope: Scope| {
            let _stay = cold.stay("second");
            async move {
                scope.stopping().await;
                Err("not warm yet".into())
            }
        }))
        .unwrap();
    let started = Started::new(&manager);
    diary.until("second starts", 1).await;
    // It was asked to stop, so that it is cold is no failure.
    tokio::time::timeout(Duration::from_secs(20), started.stop()).await.unwrap().unwrap();
    assert_eq!(diary.count("never starts"), 0);
}

#[tokio::test]
async fn an_error_of_one_that_was_asked_to_stop_does_not_stop_the_manager() {
    let (lock, diary) = (free_lock().await, Diary::default());
    let manager = of("a", &lock);
    let note = diary.clone();
    manager
        .add(leader_only("refused", move |lead: Leading| {
            let note = note.clone();
            async move {
                note.note("starts");
                lead.stopping().await;
                Err("a stale write was refused".into())
            }
        }))
        .unwrap();
    let started = Started::new(&manager);
    diary.until("starts", 1).await;
    lock.delete();
    diary.until("starts", 2).await;
    assert!(started.stop().await.is_ok());
}

#[tokio::test]
async fn an_error_of_a_leader_only_one_stops_the_manager_and_gives_the_lease_back() {
    let lock = free_lock().await;
    let manager = of("a", &lock);
    manager.add(leader_only("broken", |_| async { Err("no disk".into()) })).unwrap();
    let error = Started::new(&manager).ended().await.unwrap_err();
    assert!(matches!(&error, Error::Failed { name, .. } if &**name == "broken"), "{error}");
    assert!(is_free(&lock).await);
}
