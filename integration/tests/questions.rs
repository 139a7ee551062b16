//! The five questions that are asked of everybody who runs controllers in several copies. Each test is
//! named after its answer, and is done to real processes on every store that there is.

mod transitions;

use leasehold::FencingToken;
use leasehold_integration::{Fleet, Line, Replica, Store, on_every_store};
use rustix::process::Signal;

const REPLICA: &str = env!("CARGO_BIN_EXE_replica");

/// Two copies, of which the first leads and the second follows it.
async fn pair(fleet: &Fleet, url: &str) -> (Replica, Replica, FencingToken) {
    let leader = fleet.start("work", url).await;
    let (_, token) = fleet.term_after(FencingToken::ZERO).await;
    let standby = fleet.start("work", url).await;
    fleet.until(&standby, &format!("follows {}", leader.name)).await;
    (leader, standby, token)
}

/// *Does only the leader's reconciler execute its `Start()`?*
#[tokio::test(flavor = "multi_thread")]
async fn only_the_leaders_reconciler_starts() {
    on_every_store("only", |store: Store| async move {
        let fleet = Fleet::new(REPLICA);
        let (leader, second, token) = pair(&fleet, store.url()).await;
        let third = fleet.start("work", store.url()).await;
        fleet.until(&third, &format!("follows {}", leader.name)).await;
        fleet.log.has(token, 3).await;
        // The servers of all have started, and the reconciler of one.
        for replica in [&leader, &second, &third] {
            assert_eq!(fleet.count(replica, "server starts"), 1);
        }
        assert_eq!(starts(&fleet), [(leader.name.clone(), token)]);

        // It is gone without a word: the reconciler of one other starts.
        leader.signal(Signal::KILL);
        let (line, next) = fleet.term_after(token).await;
        let (successor, standby) =
            if line.name == second.name { (&second, &third) } else { (&third, &second) };
        fleet.until(standby, &format!("follows {}", successor.name)).await;
        fleet.log.has(next, 3).await;
        assert_eq!(starts(&fleet), [(leader.name.clone(), token), (line.name, next)]);
        assert_eq!(fleet.log.refused(), []);
    })
    .await;
}

/// *Are all `Reconcile()`s blocked until the election is decided?*
#[tokio::test(flavor = "multi_thread")]
async fn reconciles_wait_for_the_election_and_find_their_queue_full() {
    on_every_store("wait", |store: Store| async move {
        let fleet = Fleet::new(REPLICA);
        let (mut leader, standby, token) = pair(&fleet, store.url()).await;
        // It waits, and is warm.
        let warm = fleet.until(&standby, "warm").await;
        assert_eq!(starts(&fleet), [(leader.name.clone(), token)]);

        leader.step_down().await;
        let (line, _) = fleet.term_after(token).await;
        assert_eq!(line.name, standby.name);
        assert!(line.at > warm.at);
        assert!(line.text.ends_with(" 100"), "its queue is not full: {}", line.text);
        // It has done nothing in the other's term.
        assert!(fleet.log.entries().iter().all(|one| {
            one.name == if one.token == token { &*leader.name } else { &*standby.name }
        }));
    })
    .await;
}

/// *Can a leader lose its role without the pod restarting?*
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_loses_its_role_and_the_process_lives_on() {
    on_every_store("lose", |store: Store| async move {
        let fleet = Fleet::new(REPLICA);
        let (mut leader, standby, token) = pair(&fleet, store.url()).await;
        fleet.log.has(token, 3).await;
        leader.signal(Signal::STOP);
        let (line, next) = fleet.term_after(token).await;
        assert_eq!(line.name, standby.name);

        leader.signal(Signal::CONT);
        fleet.until(&leader, &format!("reconciler ends {token}")).await;
        fleet.until(&leader, &format!("follows {}", standby.name)).await;
        // Only its reconciler has ended.
        assert!(leader.is_alive());
        assert_eq!(fleet.count(&leader, "server ends"), 0);

        // The same process leads again, in a later term.
        standby.signal(Signal::KILL);
        let (line, last) = fleet.term_after(next).await;
        assert_eq!(line.name, leader.name);
        fleet.log.has(last, 3).await;
        assert_eq!(fleet.count(&leader, "server starts"), 1);
        assert_eq!(fleet.count(&leader, "warm"), 1);
    })
    .await;
}

/// *When leadership moves from controller-1 to controller-2, what happens to controller-1?*
#[tokio::test(flavor = "multi_thread")]
async fn the_former_leader_stops_its_work_then_stands_by() {
    on_every_store("former", |store: Store| async move {
        let fleet = Fleet::new(REPLICA);
        let leader = &mut fleet.start("drain", store.url()).await;
        let (_, token) = fleet.term_after(FencingToken::ZERO).await;
        let standby = fleet.start("work", store.url()).await;
        fleet.until(&standby, &format!("follows {}", leader.name)).await;

        leader.step_down().await;
        let draining = fleet.until(leader, "draining").await;
        let ends = fleet.until(leader, &format!("reconciler ends {token}")).await;
        let (starts, next) = fleet.term_after(token).await;
        assert_eq!(starts.name, standby.name);
        let follows = fleet.until(leader, &format!("follows {}", standby.name)).await;
        // That it follows it may see before the other says that it starts.
        for next in [starts, follows] {
            let order: [&Line; 3] = [&draining, &ends, &next];
            assert!(order.is_sorted_by_key(|line| line.at), "{order:#?}");
        }
        assert!(leader.is_alive());

        // It stands by: it leads when the other is gone.
        standby.signal(Signal::KILL);
        let (line, _) = fleet.term_after(next).await;
        assert_eq!(line.name, leader.name);
        assert_eq!(fleet.log.refused(), []);
    })
    .await;
}

/// *How does the transition happen without duplicate work?*
///
/// `LEASEHOLD_TRANSITIONS` says how many there are; 15 unless set.
#[tokio::test(flavor = "multi_thread")]
async fn no_work_is_done_twice_across_a_transition() {
    let transitions = std::env::var("LEASEHOLD_TRANSITIONS")
        .map_or(15, |number| number.parse().expect("LEASEHOLD_TRANSITIONS is a number"));
    on_every_store("twice", move |store: Store| transitions::run(store, transitions)).await;
}

/// Whose reconciler has started, in which term.
fn starts(fleet: &Fleet) -> Vec<(String, FencingToken)> {
    let start = |line: Line| line.started().map(|token| (line.name, token));
    fleet.lines().into_iter().filter_map(start).collect()
}
