//! A Redis that loses its memory under a living leader: no live lease is given away, no token comes
//! twice. A lock of one plain key, through the same faults, gives its lease away each time.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "redis_memory/evicting.rs"]
mod evicting;
#[path = "redis_memory/pair.rs"]
mod pair;
#[path = "redis_memory/plain.rs"]
mod plain;

use std::time::Duration;

use leasehold::{Timing, connect, create_free};
use leasehold_integration::rivals::{Rival, Rivals};
use leasehold_testkit::redis::{RedisOptions, RedisServer};
use pair::Pair;
use tokio::task::{JoinSet, block_in_place};

/// As many at once, each with servers of its own.
const LANES: usize = 5;
const LEASE: &str = "jobs";
/// Where it is kept.
const KEY: &str = "leasehold:jobs";

fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(500), ms(350), ms(70)).unwrap()
}

fn own_server() -> RedisServer {
    RedisOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn promotion_of_a_replica_that_lags_gives_no_live_lease_away_and_repeats_no_token() {
    in_lanes(50, |lane, rounds| async move {
        let mut pair = block_in_place(Pair::start);
        let rivals = first(&pair.url(LEASE)).await;
        for round in 0..rounds {
            // One of a kind in each lane's first rounds, and on from there.
            promotion(&mut pair, &rivals, round, Lag::ALL[(lane + round) % Lag::ALL.len()]).await;
        }
        rivals
    })
    .await;
}

/// What the replica still holds when it is promoted.
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

async fn promotion(pair: &mut Pair, rivals: &Rivals, round: usize, lag: Lag) {
    block_in_place(|| pair.catch_up());
    if matches!(lag, Lag::Free) {
        pair.stall();
    }
    let url = pair.url(LEASE);
    let (one, other) = leader_and_standby(rivals, round, &url).await;
    if !matches!(lag, Lag::Free) {
        block_in_place(|| pair.catch_up());
        pair.stall();
    }
    match lag {
        // Who acts a lease later has renewed meanwhile.
        Lag::EarlierRenewal => drop(rivals.act_after(rivals.now() + rivals.lease()).await),
        Lag::TermOfTheStandby => hand_over(rivals, &one, &other).await,
        Lag::EarlierTermOfTheLeader => {
            hand_over(rivals, &one, &other).await;
            hand_over(rivals, &other, &one).await;
        }
        Lag::Free => {}
    }
    let (lost, left) = block_in_place(|| pair.versions(KEY));
    assert!(left < lost, "the replica lags: {left} < {lost}");

    rivals.note(format!("promotion, the replica lags: {lag:?}"));
    block_in_place(|| pair.promote());
    ends_well(rivals, round, &url, [one, other]).await;
    block_in_place(|| pair.swap_roles());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_without_persistence_gives_no_live_lease_away_and_repeats_no_token() {
    on_one_server(50, own_server, |server| server.restart()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flushall_gives_no_live_lease_away_and_repeats_no_token() {
    on_one_server(20, own_server, |server| drop(server.command(&["FLUSHALL"]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eviction_by_lru_gives_no_live_lease_away_and_repeats_no_token() {
    on_one_server(20, || evicting::server("allkeys-lru"), |server| evicting::evict(server, KEY))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eviction_at_random_gives_no_live_lease_away_and_repeats_no_token() {
    on_one_server(20, || evicting::server("allkeys-random"), |server| evicting::evict(server, KEY))
        .await;
}

/// So many rounds of a fault that leaves nothing of the lease.
async fn on_one_server(rounds: usize, start: fn() -> RedisServer, strike: fn(&RedisServer)) {
    in_lanes(rounds, |_, rounds| async move {
        let server = block_in_place(start);
        let url = server.url(LEASE);
        let rivals = first(&url).await;
        for round in 0..rounds {
            let (one, other) = leader_and_standby(&rivals, round, &url).await;
            rivals.note("the server loses its memory");
            block_in_place(|| strike(&server));
            ends_well(&rivals, round, &url, [one, other]).await;
        }
        rivals
    })
    .await;
}

/// Rounds in several lanes at once; then each lane's history is checked.
async fn in_lanes<F>(rounds: usize, lane: impl Fn(usize, usize) -> F)
where
    F: Future<Output = Rivals> + Send + 'static,
{
    let mut lanes = JoinSet::new();
    for number in 0..LANES {
        lanes.spawn(lane(number, rounds / LANES));
    }
    let mut terms = 0;
    for rivals in lanes.join_all().await {
        rivals.check();
        terms += rivals.terms();
    }
    assert!(terms >= rounds, "{terms} terms in {rounds} rounds");
}

/// The lease, free, for those who will stand.
async fn first(url: &str) -> Rivals {
    create_free(&connect(url).await.unwrap()).await.unwrap();
    Rivals::new(timing())
}

async fn leader_and_standby(rivals: &Rivals, round: usize, url: &str) -> (Rival, Rival) {
    let one = rivals.stand(format!("a{round}"), url).await;
    rivals.act_of(&one).await;
    let other = rivals.stand(format!("b{round}"), url).await;
    other.follows().await;
    (one, other)
}

async fn hand_over(rivals: &Rivals, leader: &Rival, standby: &Rival) {
    leader.step_down().await;
    rivals.act_of(standby).await;
    leader.follows().await;
}

/// After the fault one more comes, who knows nothing of what was before. Somebody leads so late that
/// no term from before the fault can have lasted, unless it was renewed.
async fn ends_well(rivals: &Rivals, round: usize, url: &str, others: [Rival; 2]) {
    let fault = rivals.now();
    let fresh = rivals.stand(format!("c{round}"), url).await;
    rivals.act_after(fault + 2 * rivals.lease()).await;
    for rival in others.into_iter().chain([fresh]) {
        rival.withdraw().await;
    }
}

/// The contrast: the same faults, and a lock of one key that expires.
mod a_plain_set_nx_px_lock_gives_a_live_lease_away {
    use super::*;
    use plain::Plain;

    #[test]
    fn on_promotion_of_a_replica_that_lags() {
        let pair = Pair::start();
        pair.catch_up();
        pair.stall();
        let plain = Plain::of("one", pair.master());
        pair.promote();
        plain.is_given_away_to("another", pair.replica());
    }

    #[test]
    fn on_a_restart_without_persistence() {
        let server = own_server();
        let plain = Plain::of("one", &server);
        server.restart();
        plain.is_given_away_to("another", &server);
    }

    #[test]
    fn on_flushall() {
        let server = own_server();
        let plain = Plain::of("one", &server);
        server.command(&["FLUSHALL"]);
        plain.is_given_away_to("another", &server);
    }

    #[test]
    fn on_eviction() {
        for policy in ["allkeys-lru", "allkeys-random"] {
            let server = evicting::server(policy);
            let plain = Plain::of("one", &server);
            evicting::evict(&server, plain::KEY);
            evicting::evict(&server, plain::TOKENS);
            plain.is_given_away_to("another", &server);
        }
    }
}
