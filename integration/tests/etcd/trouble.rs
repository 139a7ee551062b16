//! What ends what a candidate has with etcd, and must not end its term: a login that is over, a
//! history that is compacted, a connection whose end nobody tells.

use std::time::{Duration, Instant};

use futures::StreamExt;
use leasehold::{LeaseLock, Timing, connect};
use leasehold_integration::{Election, within};
use leasehold_testkit::{
    Direction, Proxy,
    etcd::{EtcdOptions, EtcdServer},
};
use tokio::task::block_in_place;

/// A login lasts so many seconds after it was last used.
const LIFETIME: u32 = 1;

fn timing(lease: u64, deadline: u64, retry: u64) -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(lease), ms(deadline), ms(retry)).unwrap()
}

/// Who renews more seldom than that finds its login ended each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_goes_on_through_many_lifetimes_of_its_login_and_a_standby_follows_it() {
    let server = EtcdOptions::new().auth().token_lifetime(LIFETIME).start().unwrap();
    let url = server.url("jobs");
    // etcd looks each second for those that are over.
    let election = Election::of_a_free_lease(&url, timing(10_000, 8_000, 2_200)).await;
    let [leader, standby] = election.leader_and_standby(("leader", &url), ("standby", &url)).await;
    let token = leader.leads().await;
    let logins = || block_in_place(|| logins(&server));
    let before = logins();

    let act = election.act_after(election.now() + Duration::from_secs(12)).await;
    assert_eq!((act.name.as_str(), act.token), ("leader", token.number()), "in one term");
    assert!(logins() - before >= 4, "{before} logins became {}", logins());

    election.hand_over(&leader, &standby).await;
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_logged_out_logs_in_again_and_goes_on() {
    let server = EtcdOptions::new().auth().start().unwrap();
    let url = server.url("jobs");
    let timing = timing(5_000, 4_000, 300);
    let election = Election::of_a_free_lease(&url, timing).await;
    let [leader, standby] = election.leader_and_standby(("leader", &url), ("standby", &url)).await;
    let token = leader.leads().await;
    let before = block_in_place(|| logins(&server));

    // All tokens are forgotten.
    block_in_place(|| {
        server.etcdctl(&["auth", "disable"]);
        server.etcdctl(&["auth", "enable"]);
    });
    let act = election.act_after(election.now() + timing.lease_duration()).await;
    assert_eq!((act.name.as_str(), act.token), ("leader", token.number()), "in one term");
    assert!(block_in_place(|| logins(&server)) > before);

    election.hand_over(&leader, &standby).await;
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}

fn logins(server: &EtcdServer) -> u64 {
    server.metric("grpc_server_handled_total", &[("grpc_method", "Authenticate")]) as u64
}

/// Where changes are not pushed any more, a standby of this timing looks for them 4 to 12 s later.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_told_at_once_also_after_what_it_would_have_been_told_was_compacted() {
    let timing = Timing::patient();
    let server = EtcdOptions::new().own().start().unwrap();
    let link = Proxy::start(server.address()).unwrap();
    let url = server.url("jobs");
    let election = Election::of_a_free_lease(&url, timing).await;
    let standbys_url = server.url_through(link.address(), "jobs");
    let (leader, standby) = (("leader", &*url), ("standby", &*standbys_url));
    let [leader, standby] = election.leader_and_standby(leader, standby).await;

    // With the watch in place, and with one that begins again behind the compaction.
    for away in [false, true] {
        if away {
            link.black_hole(Direction::Both);
        }
        block_in_place(|| compact(&server));
        if away {
            link.reset();
            link.heal();
            // By then it listens again; or it has looked, and pauses.
            election.act_after(election.now() + Duration::from_secs(1)).await;
        }
        let resigned = Instant::now();
        election.hand_over(&leader, &standby).await;
        let took = resigned.elapsed();
        assert!(took < timing.retry_interval() / 4, "not told: {took:?}, away: {away}");
        election.hand_over(&standby, &leader).await;
    }
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}

/// Leaves nothing of what was before but the newest of each key.
fn compact(server: &EtcdServer) {
    for _ in 0..5 {
        server.etcdctl(&["put", "filler", "x"]);
    }
    let written = server.etcdctl(&["get", "filler", "--write-out=fields"]);
    let revision = written.lines().find_map(|line| line.strip_prefix("\"Revision\" : ")).unwrap();
    server.etcdctl(&["compact", revision]);
}

/// So it is where a firewall forgets a connection, or a host is gone and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_end_is_not_told_is_found_dead_within_a_lease() {
    let server = EtcdOptions::new().own().start().unwrap();
    let link = Proxy::start(server.address()).unwrap();
    let url = server.url("jobs");
    let election = Election::of_a_free_lease(&url, timing(1_000, 700, 150)).await;
    let leader = election.stand("leader", &url).await;
    leader.leads().await;
    let listener = connect(&server.url_through(link.address(), "jobs")).await.unwrap();
    let mut changes = listener.watch();
    within("a first look", "", changes.next()).await.unwrap().unwrap();

    link.half_open();
    let connections = link.accepted();
    block_in_place(|| server.restart());
    // Nothing is asked on that connection but what proves that it lives.
    while link.accepted() == connections {
        if within("that it is found dead", "", changes.next()).await.is_none_or(|end| end.is_err())
        {
            changes = listener.watch();
        }
    }
    within("a change", "", changes.next()).await.unwrap().unwrap();
    leader.end().await;
}
