//! What an elector promises about work and its end, on the memory backend and real clocks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::common::{candidate, elector, free_lock, quick};
use leasehold_core::{Elector, End, Error, ErrorKind, LeaseLock, Tenure};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn work_starts_on_a_confirmed_write_and_its_ok_resigns_and_ends_run() {
    let lock = free_lock().await;
    let seen = lock.clone();
    let elector = elector(&lock, "a");
    elector
        .run(CancellationToken::new(), |lead| {
            let seen = seen.clone();
            async move {
                assert!(lead.is_current());
                let record = seen.observe().await?.record.expect("written");
                assert_eq!(record.holder(), Some("a"));
                assert_eq!(record.token, lead.token());
                Ok::<_, Error>(())
            }
        })
        .await
        .unwrap();
    assert_eq!(lock.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn an_error_of_the_work_resigns_and_is_returned() {
    let lock = free_lock().await;
    let error = elector(&lock, "a")
        .run(CancellationToken::new(), |_| async {
            Err::<(), _>(Error::new(ErrorKind::Denied, "work", "the work's own trouble"))
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(lock.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn a_successor_leads_with_a_greater_token_once_the_leader_resigns() {
    let lock = free_lock().await;
    let first = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let token = first.token();
    let second = elector(&lock, "b");
    let shutdown = CancellationToken::new();
    let (released, lead) = tokio::join!(first.resign(), second.campaign(&shutdown));
    assert!(released);
    assert!(lead.unwrap().token() > token);
}

#[tokio::test]
async fn a_lost_lease_ends_the_work_and_not_the_process_and_the_next_term_has_a_greater_token() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a");
    let shutdown = CancellationToken::new();
    let (tokens, mut began) = mpsc::unbounded_channel();
    let ends = Arc::new(AtomicUsize::new(0));
    let run = elector.run(shutdown.clone(), |lead| {
        let (tokens, ends) = (tokens.clone(), ends.clone());
        async move {
            tokens.send(lead.clone()).unwrap();
            let _dropped = Dropped(ends);
            std::future::pending::<Result<(), Error>>().await
        }
    });
    let story = async {
        let first = began.recv().await.unwrap();
        // An operator deletes the record under the living leader.
        lock.delete();
        first.ended().await;
        assert!(!first.is_current());
        assert_eq!(first.end(), Some(End::Lost));
        let second = began.recv().await.unwrap();
        assert_eq!(ends.load(Ordering::SeqCst), 1, "the old work has ended before the new began");
        assert!(second.token() > first.token());
        shutdown.cancel();
    };
    let (ended, ()) = tokio::join!(run, story);
    ended.unwrap();
}

#[tokio::test]
async fn the_lease_is_given_back_only_after_the_tasks_of_the_work_have_ended() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let (entered, has_entered) = tokio::sync::oneshot::channel();
    let ended = Arc::new(AtomicUsize::new(0));
    let task = lead.leading().spawn({
        let ended = ended.clone();
        async move {
            let _dropped = Dropped(ended);
            entered.send(()).unwrap();
            std::future::pending::<()>().await;
        }
    });
    has_entered.await.unwrap();
    assert!(lead.resign().await);
    assert_eq!(ended.load(Ordering::SeqCst), 1);
    assert_eq!(task.await.unwrap(), None);
}

#[tokio::test]
async fn the_lease_is_given_back_only_after_blocking_work_has_ended() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let (finish, told_to_finish) = std::sync::mpsc::channel();
    let leading = lead.leading();
    let work = lead.spawn_blocking(move || {
        told_to_finish.recv().unwrap();
        leading.is_current()
    });
    let resign = tokio::spawn(lead.resign());
    // The term is renewed while its work has not ended, although it is over for whoever asks.
    let before = lock.observe().await.unwrap();
    crate::common::until(&lock, |record| Some(record) != before.record.as_ref()).await;
    assert_eq!(lock.observe().await.unwrap().record.unwrap().holder(), Some("a"));
    finish.send(()).unwrap();
    assert!(!work.await.unwrap());
    assert!(resign.await.unwrap());
}

#[test]
fn a_runtime_that_ends_under_a_guard_ends_the_term_and_keeps_the_lock_while_work_may_go_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (kept, lead) = runtime.block_on(async {
        let lock = Arc::new(free_lock().await);
        let kept = Arc::downgrade(&lock);
        let elector = Elector::new(lock, candidate("a")).with_timing(quick());
        (kept, elector.campaign(&CancellationToken::new()).await.unwrap())
    });
    drop(runtime);
    assert!(!lead.is_current());
    // A store that proves death would take the end of the lock for the end of the work.
    assert!(kept.upgrade().is_some(), "the lock is gone while the guard is held");
    drop(lead);
}

#[tokio::test]
async fn dropping_the_guard_ends_the_term_at_once_and_releases_in_the_background() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let leading = lead.leading();
    drop(lead);
    assert!(!leading.is_current());
    assert_eq!(leading.remaining(), std::time::Duration::ZERO);
    crate::common::until(&lock, |record| record.tenure == Tenure::Free).await;
}

#[tokio::test]
async fn a_panic_of_the_work_releases_the_lease() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a");
    let run = tokio::spawn(async move {
        elector
            .run(CancellationToken::new(), |_| async {
                assert!(std::hint::black_box(false), "a bug of the work");
                Ok::<_, Error>(())
            })
            .await
    });
    assert!(run.await.unwrap_err().is_panic());
    crate::common::until(&lock, |record| record.tenure == Tenure::Free).await;
}

#[tokio::test]
async fn a_shutdown_asks_the_work_to_stop_and_waits_for_it() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a");
    let shutdown = CancellationToken::new();
    let drained = Arc::new(AtomicUsize::new(0));
    elector
        .run(shutdown.clone(), |lead| {
            let (shutdown, drained) = (shutdown.clone(), drained.clone());
            async move {
                shutdown.cancel();
                lead.stopping().await;
                assert!(lead.is_current(), "draining work may still act");
                drained.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Error>(())
            }
        })
        .await
        .unwrap();
    assert_eq!(drained.load(Ordering::SeqCst), 1);
    assert_eq!(lock.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn work_that_does_not_stop_within_the_drain_limit_is_dropped_and_the_lease_released() {
    let lock = free_lock().await;
    let elector = elector(&lock, "a").with_drain_limit(std::time::Duration::from_millis(20));
    let shutdown = CancellationToken::new();
    elector
        .run(shutdown.clone(), |_| {
            shutdown.cancel();
            std::future::pending::<Result<(), Error>>()
        })
        .await
        .unwrap();
    assert_eq!(lock.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn an_elector_can_be_run_inside_a_spawned_task() {
    let lock = free_lock().await;
    let elector = Elector::new(lock, candidate("a")).with_timing(quick());
    let run = tokio::spawn(async move {
        elector.run(CancellationToken::new(), |_| async { Ok::<_, Error>(()) }).await
    });
    run.await.unwrap().unwrap();
}

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
