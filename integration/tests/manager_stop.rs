//! SIGTERM, in whatever state it finds a process: it ends cleanly, with exit code 0, and the lease is
//! nobody's. And processes whose reconciler does not let them.

use std::{os::unix::process::ExitStatusExt, sync::Arc, time::Duration};

use leasehold::{FencingToken, LeaseLock, Tenure};
use leasehold_integration::{Fleet, Replica, Store, on_every_empty_store, on_every_store};
use rustix::process::Signal;

const REPLICA: &str = env!("CARGO_BIN_EXE_replica");

struct Stage {
    fleet: Fleet,
    store: Store,
    lock: Arc<dyn LeaseLock>,
}

impl Stage {
    async fn on(store: Store) -> Self {
        let lock = store.lock().await;
        Self { fleet: Fleet::new(REPLICA), store, lock }
    }

    async fn start(&self, what: &str) -> Replica {
        self.fleet.start(what, self.store.url()).await
    }

    async fn leader(&self, what: &str) -> (Replica, FencingToken) {
        let replica = self.start(what).await;
        let (line, token) = self.fleet.term_after(FencingToken::ZERO).await;
        assert_eq!(line.name, replica.name);
        self.fleet.log.has(token, 1).await;
        (replica, token)
    }

    async fn tenure(&self) -> Tenure {
        self.lock.observe().await.unwrap().record.unwrap().tenure
    }

    /// It ends cleanly, and its server after its reconciler.
    async fn ends_cleanly(&self, replica: &mut Replica) {
        let status = replica.ended().await;
        assert_eq!(status.code(), Some(0), "{status}");
        self.fleet.until(replica, "ended").await;
        let lines = self.fleet.lines();
        let of_it = lines.iter().filter(|line| line.name == replica.name);
        let ends: Vec<_> = of_it.filter(|line| line.text.contains(" ends")).collect();
        assert!(ends.last().is_none_or(|last| last.text == "server ends"), "{ends:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_told_to_end_gives_the_lease_back() {
    on_every_store("leading", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, _) = stage.leader("work").await;
        leader.signal(Signal::TERM);
        stage.ends_cleanly(&mut leader).await;
        assert_eq!(stage.tenure().await, Tenure::Free);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_told_to_end_leaves_the_leader_alone() {
    on_every_store("standing-by", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, token) = stage.leader("work").await;
        let mut standby = stage.start("work").await;
        stage.fleet.until(&standby, &format!("follows {}", leader.name)).await;
        standby.signal(Signal::TERM);
        stage.ends_cleanly(&mut standby).await;
        assert_eq!(stage.tenure().await, Tenure::Held { holder: leader.name.as_str().into() });
        assert_eq!(stage.lock.observe().await.unwrap().record.unwrap().token, token);
        leader.signal(Signal::TERM);
        stage.ends_cleanly(&mut leader).await;
        assert_eq!(stage.tenure().await, Tenure::Free);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_about_to_acquire_and_told_to_end_holds_nothing_afterwards() {
    // Nothing is written: it waits a lease duration.
    on_every_empty_store("waiting", |store: Store| async move {
        let stage = Stage::on(store).await;
        let mut waiting = stage.start("work").await;
        stage.fleet.until(&waiting, "warm").await;
        waiting.signal(Signal::TERM);
        stage.ends_cleanly(&mut waiting).await;
        assert!(stage.fleet.lines().iter().all(|line| line.started().is_none()));
        let record = stage.lock.observe().await.unwrap().record;
        assert!(record.is_none_or(|record| record.holder().is_none()));
    })
    .await;
    // In the middle of it, at whatever moment that is.
    on_every_store("acquiring", |store: Store| async move {
        let stage = Stage::on(store).await;
        for delay in 0..20 {
            let mut replica = stage.start("work").await;
            tokio::time::sleep(Duration::from_micros(delay * 300)).await;
            replica.signal(Signal::TERM);
            stage.ends_cleanly(&mut replica).await;
            assert_eq!(stage.tenure().await, Tenure::Free, "told {delay} * 0.3 ms after its start");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_leader_that_is_told_to_end_drains_first() {
    on_every_store("draining", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, token) = stage.leader("drain").await;
        leader.step_down().await;
        stage.fleet.until(&leader, "draining").await;
        leader.signal(Signal::TERM);
        let before = stage.fleet.log.entries().len();
        stage.ends_cleanly(&mut leader).await;
        assert_eq!(stage.tenure().await, Tenure::Free);
        assert!(stage.fleet.log.entries().len() > before + 5, "it went on while it drained");
        stage.fleet.until(&leader, &format!("reconciler ends {token}")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciler_that_ignores_it_is_dropped_before_the_lease_is_given_back() {
    on_every_store("deaf", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, token) = stage.leader("deaf").await;
        let standby = stage.start("work").await;
        stage.fleet.until(&standby, &format!("follows {}", leader.name)).await;
        leader.signal(Signal::TERM);
        let (starts, _) = stage.fleet.term_after(token).await;
        let ends = stage.fleet.until(&leader, &format!("reconciler ends {token}")).await;
        assert!(ends.at < starts.at);
        // It was late, and the process says so.
        assert_eq!(leader.ended().await.code(), Some(1));
        let late = "failed: asked to stop, and not ended within 2s: \"reconciler\"";
        stage.fleet.until(&leader, late).await;
        assert_eq!(stage.fleet.log.refused(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciler_that_blocks_its_thread_is_aborted_before_a_successor_starts() {
    on_every_store("blocking", |store: Store| async move {
        let stage = Stage::on(store).await;
        let mut leader = stage.start("block").await;
        let (_, token) = stage.fleet.term_after(FencingToken::ZERO).await;
        let standby = stage.start("work").await;
        stage.fleet.until(&standby, &format!("follows {}", leader.name)).await;
        stage.fleet.until(&leader, "acted").await;
        leader.signal(Signal::TERM);
        let (starts, _) = stage.fleet.term_after(token).await;
        assert_eq!(leader.ended().await.signal(), Some(Signal::ABORT.as_raw()));
        stage.fleet.until(&leader, "gone").await;
        let lines = stage.fleet.lines();
        let acted = lines.iter().rev().find(|line| line.text == "acted").unwrap();
        assert!(acted.at < starts.at, "it worked {} ns beside its successor", acted.at - starts.at);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_process_whose_runtime_waits_for_a_blocked_thread() {
    on_every_store("stuck", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, _) = stage.leader("stuck").await;
        leader.signal(Signal::TERM);
        let late = "failed: asked to stop, and not ended within 2s: \"server\"";
        stage.fleet.until(&leader, late).await;
        // Its lease is given back all the same.
        assert_eq!(stage.tenure().await, Tenure::Free);
        leader.signal(Signal::TERM);
        assert_eq!(leader.ended().await.code(), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_exit_on_loss_the_process_ends_with_its_leadership() {
    on_every_store("exiting", |store: Store| async move {
        let stage = Stage::on(store).await;
        let (mut leader, token) = stage.leader("exit").await;
        let standby = stage.start("work").await;
        stage.fleet.until(&standby, &format!("follows {}", leader.name)).await;
        leader.signal(Signal::STOP);
        stage.fleet.term_after(token).await;
        leader.signal(Signal::CONT);
        assert_eq!(leader.ended().await.code(), Some(1));
        stage.fleet.until(&leader, "failed: the lease \"jobs\" is led no more").await;
    })
    .await;
}
