//! The wall clock of a Redis is stepped, half a minute on and half a minute back: no lease moves, and
//! tokens go on growing.

mod shifted;

use std::time::Duration;

use leasehold::Timing;
use leasehold_integration::{Contender, Election};
use leasehold_testkit::{Direction, Proxy};
use shifted::Shifted;
use tokio::task::block_in_place;

const LEASE: &str = "jobs";
const KEY: &str = "leasehold:jobs";

/// On and back, to a clock that is right, one that is fast and one that is slow.
const STEPS: [fn(&Shifted); 8] = [ON, BACK, BACK, ON, BACK, ON, ON, BACK];
/// Long for a wait of a second, and short beside a step.
const HALF_A_STEP: Duration = Duration::from_secs(15);
const ON: fn(&Shifted) = Shifted::step_forward;
const BACK: fn(&Shifted) = Shifted::step_back;

/// A server, a leader and a standby.
struct Stage {
    server: Shifted,
    url: String,
    election: Election,
}

impl Stage {
    async fn set() -> Self {
        let server = block_in_place(Shifted::start);
        let url = server.server().url(LEASE);
        let election = Election::of_a_free_lease(&url, Timing::fast()).await;
        Self { server, url, election }
    }

    /// The leader by a way of its own to the server.
    async fn leader_and_standby(&self, way: &str) -> [Contender; 2] {
        self.election.leader_and_standby(("one", way), ("another", &self.url)).await
    }

    fn strike(&self, what: &str, strike: impl FnOnce(&Shifted)) {
        self.election.note(what);
        block_in_place(|| strike(&self.server));
    }

    fn version(&self) -> i64 {
        let version = block_in_place(|| self.server.server().text(&["HGET", KEY, "version"]));
        version.parse().unwrap()
    }

    async fn ends(self, candidates: impl IntoIterator<Item = Contender>) {
        for candidate in candidates {
            candidate.end().await;
        }
        self.election.assert_exclusive();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_the_servers_clock_moves_no_lease_and_versions_grow() {
    let stage = Stage::set().await;
    let candidates = stage.leader_and_standby(&stage.url).await;
    let begun = stage.election.act_of(&candidates[0]).await;
    let mut version = stage.version();
    for step in STEPS {
        stage.strike("the clock steps", step);
        // Who acts two leases later has renewed meanwhile.
        let later = stage.election.now() + 2 * stage.election.timing().lease_duration();
        let act = stage.election.act_after(later).await;
        assert_eq!((act.name, act.token), (begun.name.clone(), begun.token), "the same term");
        let next = stage.version();
        assert!(next > version, "{next} comes after {version}");
        version = next;
    }
    assert_eq!(stage.election.terms(), 1);
    stage.ends(candidates).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_between_two_terms_repeats_no_token() {
    let stage = Stage::set().await;
    let [mut leader, mut standby] = stage.leader_and_standby(&stage.url).await;
    let mut version = stage.version();
    for step in STEPS.repeat(3) {
        // The release and what follows it come before the step, in the midst of it, or after it.
        let handover = stage.election.hand_over(&leader, &standby);
        tokio::join!(handover, async { stage.strike("the clock steps", step) });
        std::mem::swap(&mut leader, &mut standby);
        let next = stage.version();
        assert!(next > version, "{next} comes after {version}");
        version = next;
    }
    stage.ends([leader, standby]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_while_nobody_hears_the_leader_neither_shortens_the_wait_nor_prolongs_it() {
    for step in [ON, BACK] {
        let stage = Stage::set().await;
        let link = Proxy::start(stage.server.server().address()).unwrap();
        let through = stage.server.server().url_through(link.address(), LEASE);
        let [leader, standby] = stage.leader_and_standby(&through).await;
        let version = stage.version();
        let cut = stage.election.now();
        stage.strike("the leader is cut off, and the clock steps", |server| {
            link.black_hole(Direction::Both);
            step(server);
        });
        let act = stage.election.act_of(&standby).await;
        assert!(act.at < cut + HALF_A_STEP, "{:?} after {cut:?}", act.at);
        assert!(stage.version() > version);
        link.heal();
        stage.ends([leader, standby]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_lost_with_the_clock_stepped_back_repeats_no_token_that_a_living_candidate_saw() {
    let stage = Stage::set().await;
    let candidates = stage.leader_and_standby(&stage.url).await;
    for _ in 0..5 {
        let (version, token) =
            (stage.version(), stage.election.act_after(stage.election.now()).await.token);
        stage.strike("the clock steps back, and all is lost", |server| {
            server.step_back();
            server.server().command(&["FLUSHALL"]);
        });
        let later = stage.election.now() + 2 * stage.election.timing().lease_duration();
        let act = stage.election.act_after(later).await;
        assert!(act.token > token, "{} comes after {token}", act.token);
        let next = stage.version();
        assert!(next < version, "versions began anew: {next} comes after {version}");
    }
    stage.ends(candidates).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_saw_nothing_of_what_was_lost_has_a_token_above_the_servers_time() {
    let stage = Stage::set().await;
    for candidate in stage.leader_and_standby(&stage.url).await {
        candidate.end().await;
    }
    stage.strike("the clock steps back, and all is lost", |server| {
        server.step_back();
        server.server().command(&["FLUSHALL"]);
    });
    let time = block_in_place(|| stage.server.time());
    // A history of its own: nobody lives who knows the other.
    let election = Election::new(Timing::fast());
    let fresh = election.stand("fresh", &stage.url).await;
    let token = fresh.leads().await.number();
    assert!(i64::try_from(token).unwrap() > time, "{token} is above {time}");
    fresh.end().await;
    election.assert_exclusive();
    stage.ends([]).await;
}
