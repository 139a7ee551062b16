//! etcd's own leader is killed, frozen, cut off, or gives up its place, while leaders of ours renew. For a
//! second or two nobody can write then. A lease of 5 s rides that through; one of a second may lapse.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use leasehold::{LeaseLock, Timing, connect};
use leasehold_integration::{Contender, Election, rounds, within};
use leasehold_testkit::etcd::EtcdCluster;
use tokio::{task::block_in_place, time};

const ROUNDS: usize = 20;
/// In so many of them leadership of the long lease is kept.
const KEPT: usize = 18;
/// After what etcd has refused, perhaps at once.
const PAUSE: Duration = Duration::from_millis(10);
/// As many at once, each with a cluster of its own.
const LANES: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_five_seconds_is_kept_while_etcds_leader_is_killed() {
    in_lanes(Fault::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_five_seconds_is_kept_while_etcds_leader_is_frozen() {
    in_lanes(Fault::Frozen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_five_seconds_is_kept_while_etcds_leader_is_cut_off_from_the_others() {
    in_lanes(Fault::CutOff).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_five_seconds_is_kept_while_etcds_leader_gives_up_its_place() {
    in_lanes(Fault::Moved).await;
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Frozen,
    CutOff,
    Moved,
}

impl Fault {
    /// Does it to etcd's leader, and says which member that was.
    fn strike(self, cluster: &EtcdCluster) -> usize {
        let leader = cluster.leader();
        match self {
            Self::Killed => cluster.member(leader).kill(),
            Self::Frozen => cluster.member(leader).freeze(),
            Self::CutOff => cluster.isolate(leader),
            Self::Moved => cluster.move_leader((leader + 1) % 3),
        }
        leader
    }

    fn mend(self, cluster: &EtcdCluster, member: usize) {
        match self {
            Self::Killed => cluster.member(member).restart(),
            Self::Frozen => cluster.member(member).thaw(),
            Self::CutOff => cluster.rejoin(member),
            Self::Moved => {}
        }
    }
}

async fn in_lanes(fault: Fault) {
    let lanes = rounds(ROUNDS, LANES, |_, rounds| async move {
        let cluster = block_in_place(EtcdCluster::start).unwrap_or_else(|error| panic!("{error}"));
        let ms = Duration::from_millis;
        let long = Timing::new(ms(5_000), ms(4_000), ms(300)).unwrap();
        let long = Lease::start(&cluster.url("long"), long).await;
        let short = Lease::start(&cluster.url("short"), Timing::fast()).await;
        let mut kept = 0;
        for _ in 0..rounds {
            kept += usize::from(round(&cluster, fault, &long, &short).await);
        }
        long.ends_well().await;
        short.ends_well().await;
        kept
    });
    let kept = lanes.await.into_iter().sum::<usize>();
    println!("kept in {kept} of {ROUNDS} rounds: {fault:?}");
    assert!(kept >= KEPT, "kept in {kept} of {ROUNDS} rounds only: {fault:?}");
}

/// Whether leadership of the long lease was kept.
async fn round(cluster: &EtcdCluster, fault: Fault, long: &Lease, short: &Lease) -> bool {
    let (token, _) = (long.led().await, short.led().await);
    for lease in [long, short] {
        lease.election.note(format!("etcd's leader: {fault:?}"));
    }
    let member = block_in_place(|| fault.strike(cluster));

    // Somebody leads with the short lease, too, soon after it can be written again.
    long.is_answered().await;
    let answered = short.election.now();
    short.election.act_after(answered).await;
    let took = short.election.now() - answered;
    assert!(took <= bound(short.election.timing()), "{took:?}");

    let renewed = long.next_write().await == token;
    block_in_place(|| fault.mend(cluster, member));
    renewed
}

/// Within this somebody leads after etcd answers again: whoever was pushed nothing meanwhile saw the
/// last renewal late, by as much as [`Timing::failover_bound`] says, and may have asked in vain
/// just now.
fn bound(timing: Timing) -> Duration {
    // A busy machine takes a second more.
    let busy = Duration::from_secs(1);
    timing.failover_bound()
        + timing.retry_interval().mul_f64(1.5)
        + 2 * timing.call_timeout()
        + busy
}

/// One lease, two that contend for it, and one who looks.
struct Lease {
    election: Election,
    candidates: [Contender; 2],
    lock: Arc<dyn LeaseLock>,
}

impl Lease {
    async fn start(url: &str, timing: Timing) -> Self {
        let election = Election::of_a_free_lease(url, timing).await;
        let candidates = election.leader_and_standby(("a", url), ("b", url)).await;
        Self { election, candidates, lock: connect(url).await.unwrap() }
    }

    /// The token of the present term, once both know of it.
    async fn led(&self) -> u64 {
        for candidate in &self.candidates {
            candidate.knows_the_leader().await;
        }
        self.election.act_after(self.election.now()).await.token
    }

    /// Waits until etcd answers.
    async fn is_answered(&self) {
        let limit = self.election.timing().call_timeout();
        within("etcd answers", "", async {
            while !matches!(time::timeout(limit, self.lock.observe()).await, Ok(Ok(_))) {
                time::sleep(PAUSE).await;
            }
        })
        .await;
    }

    /// The token of whoever is the next to renew it, or to take it.
    async fn next_write(&self) -> u64 {
        let mut seen = None;
        within("a write", "", async {
            loop {
                let mut changes = self.lock.watch();
                // What was there already comes first, and a watch may break.
                while let Some(Ok(now)) = changes.next().await {
                    let held = now.record.filter(|record| record.holder().is_some());
                    match (seen, held) {
                        (None, _) => seen = Some(now.version.number()),
                        (Some(seen), Some(held)) if now.version.number() > seen => {
                            return held.token.number();
                        }
                        _ => {}
                    }
                }
                time::sleep(PAUSE).await;
            }
        })
        .await
    }

    async fn ends_well(self) {
        self.election.assert_exclusive();
        for candidate in self.candidates {
            candidate.end().await;
        }
    }
}
