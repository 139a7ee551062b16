//! A Redis that loses its memory under a living leader: no live lease is given away, no token comes
//! twice. A lock of one plain key, through the same faults, gives its lease away each time.

mod evicting;
mod pair;
mod plain;

use std::time::Duration;

use leasehold::Timing;
use leasehold_integration::{Contender, Election, rounds};
use leasehold_testkit::redis::{RedisOptions, RedisServer};
use pair::Pair;
use tokio::task::block_in_place;

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
        let election = Election::of_a_free_lease(&pair.url(LEASE), timing()).await;
        for round in 0..rounds {
            // One of a kind in each lane's first rounds, and on from there.
            promotion(&mut pair, &election, round, Lag::ALL[(lane + round) % Lag::ALL.len()]).await;
        }
        election
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

async fn promotion(pair: &mut Pair, election: &Election, round: usize, lag: Lag) {
    block_in_place(|| pair.catch_up());
    if matches!(lag, Lag::Free) {
        pair.stall();
    }
    let url = pair.url(LEASE);
    let [one, other] = leader_and_standby(election, round, &url).await;
    if !matches!(lag, Lag::Free) {
        block_in_place(|| pair.catch_up());
        pair.stall();
    }
    match lag {
        // Who acts a lease later has renewed meanwhile.
        Lag::EarlierRenewal => {
            election.act_after(election.now() + election.timing().lease_duration()).await;
        }
        Lag::TermOfTheStandby => election.hand_over(&one, &other).await,
        Lag::EarlierTermOfTheLeader => {
            election.hand_over(&one, &other).await;
            election.hand_over(&other, &one).await;
        }
        Lag::Free => {}
    }
    let (lost, left) = block_in_place(|| pair.versions(KEY));
    assert!(left < lost, "the replica lags: {left} < {lost}");

    election.note(format!("promotion, the replica lags: {lag:?}"));
    block_in_place(|| pair.promote());
    ends_well(election, round, &url, [one, other]).await;
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
        let election = Election::of_a_free_lease(&url, timing()).await;
        for round in 0..rounds {
            let [one, other] = leader_and_standby(&election, round, &url).await;
            election.note("the server loses its memory");
            block_in_place(|| strike(&server));
            ends_well(&election, round, &url, [one, other]).await;
        }
        election
    })
    .await;
}

/// Rounds in several lanes at once; then each lane's history is checked.
async fn in_lanes<F>(number: usize, lane: impl Fn(usize, usize) -> F)
where
    F: Future<Output = Election> + Send + 'static,
{
    let mut terms = 0;
    for election in rounds(number, LANES, lane).await {
        election.assert_exclusive();
        terms += election.terms();
    }
    assert!(terms >= number, "{terms} terms in {number} rounds");
}

async fn leader_and_standby(election: &Election, round: usize, url: &str) -> [Contender; 2] {
    election.leader_and_standby((format!("a{round}"), url), (format!("b{round}"), url)).await
}

/// After the fault one more comes, who knows nothing of what was before. Somebody leads so late that
/// no term from before the fault can have lasted, unless it was renewed.
async fn ends_well(election: &Election, round: usize, url: &str, others: [Contender; 2]) {
    let fault = election.now();
    let fresh = election.stand(format!("c{round}"), url).await;
    election.act_after(fault + 2 * election.timing().lease_duration()).await;
    for candidate in others.into_iter().chain([fresh]) {
        candidate.end().await;
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
