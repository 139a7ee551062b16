//! An etcd whose data are restored from an older snapshot while candidates live on: who saw what was
//! lost gives no live lease away, and no token comes twice. What one who starts afterwards cannot
//! know, and a plain lock with a lease of etcd's, are shown to fail.

mod plain;

use std::{path::PathBuf, time::Duration};

use leasehold::Timing;
use leasehold_integration::{Contender, Election, rounds};
use leasehold_testkit::{
    Direction, Proxy,
    etcd::{EtcdOptions, EtcdServer, Restore},
};
use plain::Plain;
use tokio::task::block_in_place;

const ROUNDS: usize = 32;
const LEASE: &str = "jobs";
/// More than was ever written since a snapshot.
const BUMP: u64 = 1_000_000;

/// Long enough for an etcd to be restored meanwhile.
fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(2_000), ms(1_500), ms(200)).unwrap()
}

fn own_server() -> EtcdServer {
    EtcdOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
}

/// How the snapshot is restored.
#[derive(Clone, Copy, Debug)]
struct Way {
    new_cluster: bool,
    bump: bool,
}

impl Way {
    /// One for each lane: of a cluster that was another one once, the same is not to be had again.
    const ALL: [Self; 4] = [
        Self { new_cluster: false, bump: false },
        Self { new_cluster: false, bump: true },
        Self { new_cluster: true, bump: false },
        Self { new_cluster: true, bump: true },
    ];

    fn restore(self) -> Restore {
        let restore = Restore::new();
        let restore = if self.bump { restore.bump_revision(BUMP) } else { restore };
        if self.new_cluster { restore.new_cluster() } else { restore }
    }

    /// Whether also one who starts afterwards gives no live lease away, and repeats no token.
    const fn is_safe_for_all(self) -> bool {
        self.new_cluster && self.bump
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_from_a_snapshot_gives_no_live_lease_away_and_repeats_no_token() {
    let elections = rounds(ROUNDS, Way::ALL.len(), |lane, rounds| async move {
        let store = block_in_place(Store::start);
        let election = Election::of_a_free_lease(&store.server.url(LEASE), timing()).await;
        let mut lived = 0;
        for round in 0..rounds {
            let lag = Lag::ALL[round % Lag::ALL.len()];
            lived += usize::from(restored(&store, &election, round, lag, Way::ALL[lane]).await);
        }
        (election, lived)
    })
    .await;
    for (election, lived) in elections {
        election.assert_exclusive();
        assert!(lived > 0, "restored so slowly that no leader lived on\n{election:?}");
    }
}

/// What the snapshot holds.
#[derive(Clone, Copy, Debug)]
enum Lag {
    /// The term of the living leader, by an earlier renewal.
    EarlierRenewal,
    /// The term of another, who stands by now.
    TermOfTheStandby,
    /// An earlier term of the living leader.
    EarlierTermOfTheLeader,
    /// That nobody has it.
    Free,
}

impl Lag {
    const ALL: [Self; 4] =
        [Self::EarlierRenewal, Self::TermOfTheStandby, Self::EarlierTermOfTheLeader, Self::Free];
}

/// Whether the leader was still at work when etcd answered again.
async fn restored(store: &Store, election: &Election, round: usize, lag: Lag, way: Way) -> bool {
    let url = store.server.url(LEASE);
    if matches!(lag, Lag::Free) {
        block_in_place(|| store.save());
    }
    let names = [format!("a{round}"), format!("b{round}")];
    let [a, b] = names.map(|name| (name, &*url));
    let [one, other] = election.leader_and_standby(a, b).await;
    if !matches!(lag, Lag::Free) {
        block_in_place(|| store.save());
    }
    match lag {
        // Who acts so much later has renewed meanwhile.
        Lag::EarlierRenewal => {
            election.act_after(election.now() + election.timing().renew_deadline()).await;
        }
        Lag::TermOfTheStandby => election.hand_over(&one, &other).await,
        Lag::EarlierTermOfTheLeader => {
            election.hand_over(&one, &other).await;
            election.hand_over(&other, &one).await;
        }
        Lag::Free => {}
    }

    election.note(format!("restored, {way:?}: {lag:?}"));
    let fault = election.now();
    let token = election.act_after(fault).await.token;
    block_in_place(|| store.restore(way));
    election.note("it answers again");
    let lived = election.act_after(election.now()).await.token == token;
    let mut candidates = vec![one, other];
    if way.is_safe_for_all() {
        candidates.push(election.stand(format!("c{round}"), &url).await);
    }
    // So late that no term from before the fault can have lasted, unless it was renewed.
    election.act_after(fault + 2 * election.timing().lease_duration()).await;
    for candidate in candidates {
        candidate.end().await;
    }
    lived
}

/// A server, and a snapshot of it.
struct Store {
    server: EtcdServer,
    snapshot: PathBuf,
}

impl Store {
    fn start() -> Self {
        let server = own_server();
        let snapshot = server.run_directory().join("snapshot.db");
        Self { server, snapshot }
    }

    fn save(&self) {
        self.server.snapshot(&self.snapshot).unwrap();
    }

    fn restore(&self, way: Way) {
        self.server.restore(&self.snapshot, &way.restore());
    }
}

/// The contrast: one who knows nothing of what was lost, while a leader that is cut off from etcd
/// goes on in a term that was begun after the snapshot.
mod one_who_starts_afterwards {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn takes_a_lease_that_lives_where_the_cluster_is_the_same_and_has_an_older_token() {
        for bump in [false, true] {
            let lost = Lost::by(Way { new_cluster: false, bump }).await;
            let fresh = lost.fresh().await;
            let token = fresh.leads().await.number();
            assert!(
                token <= lost.token,
                "nothing is left of {}: {token}, bump: {bump}",
                lost.token
            );
            lost.its_leader_is_at_work().await;
            lost.end(fresh).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn waits_where_the_cluster_is_new_but_has_an_older_token_where_revisions_are_not_bumped()
    {
        let lost = Lost::by(Way { new_cluster: true, bump: false }).await;
        let fresh = lost.fresh().await;
        let token = fresh.leads().await.number();
        assert!(token <= lost.token, "nothing is left of {}: {token}", lost.token);
        let waited = lost.election.now() - lost.since;
        assert!(waited >= lost.election.timing().holder_duration(), "{waited:?}");
        lost.end(fresh).await;
    }

    /// A term of which nothing is left in etcd.
    struct Lost {
        store: Store,
        election: Election,
        link: Proxy,
        leader: Contender,
        token: u64,
        /// When its leader was cut off from etcd.
        since: Duration,
    }

    impl Lost {
        async fn by(way: Way) -> Self {
            let store = block_in_place(Store::start);
            let ms = Duration::from_millis;
            let timing = Timing::new(ms(8_000), ms(6_000), ms(200)).unwrap();
            let election = Election::of_a_free_lease(&store.server.url(LEASE), timing).await;
            block_in_place(|| store.save());
            let link = Proxy::start(store.server.address()).unwrap();
            let url = store.server.url_through(link.address(), LEASE);
            let leader = election.stand("leader", &url).await;
            // Its second term: tokens have gone on by all the renewals of the first.
            let first = leader.leads().await;
            election.act_after(election.now() + ms(1_000)).await;
            leader.resign();
            let token = leader.leads_after(first).await.number();
            link.black_hole(Direction::Both);
            let since = election.now();
            block_in_place(|| store.restore(way));
            Self { store, election, link, leader, token, since }
        }

        async fn fresh(&self) -> Contender {
            self.election.stand("fresh", &self.store.server.url(LEASE)).await
        }

        /// After now.
        async fn its_leader_is_at_work(&self) {
            let mut at = self.election.now();
            loop {
                let act = self.election.act_after(at).await;
                if act.name == self.leader.name() {
                    return;
                }
                at = act.at;
            }
        }

        async fn end(self, fresh: Contender) {
            self.link.heal();
            fresh.end().await;
            self.leader.end().await;
        }
    }
}

/// The contrast: the same fault, and a lock of one key with a lease of etcd's.
#[test]
fn a_plain_key_with_a_lease_of_etcds_is_given_away_while_it_lives() {
    for way in Way::ALL {
        let store = Store::start();
        store.save();
        let plain = Plain::of("one", &store.server);
        store.restore(way);
        let same_token = plain.is_given_away_to("another", &store.server);
        assert_eq!(same_token, !way.bump, "{way:?}");
    }
}
