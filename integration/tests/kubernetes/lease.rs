//! What others do to the Lease: it is deleted, labelled, edited, overwritten, emptied, forged.

use std::{future::Future, time::Duration};

use futures::StreamExt;
use leasehold::{FencingToken, LeaseLock, Tenure, Timing, connect};
use leasehold_integration::{Election, Pair, within};
use leasehold_testkit::{Direction, kubernetes::Apiserver};
use tokio::{
    task::{JoinSet, block_in_place},
    time,
};

use super::timing;

/// As a deployment brings it along.
const LEASE: &str =
    r#"{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "jobs"}}"#;

const ANNOTATION: &str = "leasehold.dev/record";

/// A leader renews so seldom that it is the watch which tells it of a loss.
fn seldom() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(8_000), ms(6_000), ms(2_500)).unwrap()
}

fn server() -> Apiserver {
    block_in_place(|| Apiserver::shared().new_namespace())
}

fn patch(server: &Apiserver, patch: &str) {
    let patch = format!("--patch={patch}");
    server.kubectl(&["patch", "lease", "jobs", "--type=merge", &patch]);
}

/// What somebody does to the Lease.
type Strike = fn(&Apiserver);

const LOSSES: [(&str, Strike); 6] = [
    ("deleted", |server| drop(server.kubectl(&["delete", "lease", "jobs"]))),
    ("overwritten", |server| patch(server, r#"{"spec": {"holderIdentity": "kubectl"}}"#)),
    ("emptied", |server| patch(server, r#"{"spec": null}"#)),
    ("blanked", |server| patch(server, r#"{"spec": {"holderIdentity": ""}}"#)),
    ("prolonged", |server| patch(server, r#"{"spec": {"leaseDurationSeconds": 9}}"#)),
    ("forged", |server| {
        let path = ANNOTATION.replace('.', "\\.");
        let path = format!("--output=jsonpath={{.metadata.annotations.{path}}}");
        let record = server.kubectl(&["get", "lease", "jobs", &path]);
        let (before, rest) = record.split_once(r#""token":"#).expect("a token");
        let after = &rest[rest.find([',', '}']).expect("its end")..];
        let forged = format!(r#"{before}"token":2305843009213693952{after}"#);
        let forged = format!("{ANNOTATION}={forged}");
        server.kubectl(&["annotate", "--overwrite", "lease", "jobs", &forged]);
    }),
];

/// A loss is told at once, and for as long as a lease lasts nobody leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_lease_is_not_its_own_any_more_stops_at_once_and_nobody_leads_by_accident() {
    let all: JoinSet<()> = LOSSES.into_iter().map(|(what, strike)| loses(what, strike)).collect();
    all.join_all().await;
}

async fn loses(what: &'static str, strike: Strike) {
    // kubectl has said so, and on a busy machine the watch says it somewhat later.
    const AT_ONCE: Duration = Duration::from_millis(500);

    let server = server();
    let url = server.url("jobs");
    let election = Election::of_a_free_lease(&url, seldom()).await;
    let [leader, standby] = election.leader_and_standby(("a", &url), ("b", &url)).await;
    let token = leader.leads().await.number();

    let before = election.now();
    block_in_place(|| strike(&server));
    let next = election.act_after(election.now() + AT_ONCE).await;
    assert!(next.token > token, "{what}: still at work: {next:?}");
    let waited = next.at - before;
    assert!(waited >= seldom().lease_duration(), "{what}: somebody leads after {waited:?}");
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}

/// It does not hear of it, and goes on for as long as it may.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_is_waited_out_whatever_is_done_to_its_lease() {
    let more: [(&str, Strike); 3] = [
        ("shortened", |server| patch(server, r#"{"spec": {"leaseDurationSeconds": 1}}"#)),
        ("taken for a second", |server| {
            let taken = r#"{"holderIdentity": "kubectl", "leaseDurationSeconds": 1, "leaseTransitions": 9}"#;
            patch(server, &format!(r#"{{"spec": {taken}}}"#));
        }),
        ("created again", |server| {
            server.kubectl(&["delete", "lease", "jobs"]);
            server.apply(LEASE);
        }),
    ];
    let all: JoinSet<()> =
        LOSSES.into_iter().chain(more).map(|(_, strike)| is_waited_out(strike)).collect();
    all.join_all().await;
}

async fn is_waited_out(strike: Strike) {
    let server = server();
    let through = |link| server.url_through(link, "jobs");
    let pair = Pair::start(server.address(), through, seldom()).await;
    let token = pair.give_to_the_linked().await;
    pair.link.black_hole(Direction::Both);
    block_in_place(|| strike(&server));
    pair.direct.leads_after(token).await;
    pair.election.assert_exclusive();
    pair.link.heal();
    pair.linked.follows(pair.direct.name()).await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_under_way_does_not_bring_a_deleted_lease_back() {
    let server = server();
    let link = leasehold_testkit::Proxy::start(server.address()).unwrap();
    let ms = Duration::from_millis;
    // Calls are waited for longer than it takes to delete.
    let timing = Timing::new(ms(4_000), ms(3_000), ms(400)).unwrap();
    let election = Election::of_a_free_lease(&server.url("jobs"), timing).await;
    let leader = election.stand("a", &server.url_through(link.address(), "jobs")).await;
    let mut token = leader.leads().await;
    for _ in 0..3 {
        let mut changes = connect(&server.url("jobs")).await.unwrap().watch();
        // What it sends arrives when the Lease is gone, and is not given up before.
        link.black_hole(Direction::Both);
        time::sleep(2 * timing.retry_interval()).await;
        block_in_place(|| server.kubectl(&["delete", "lease", "jobs"]));
        let mut next = async || within("a change", "", changes.next()).await.unwrap().unwrap();
        while next().await.record.is_some() {}
        link.heal();
        let created = next().await.record.unwrap();
        assert!(matches!(created.tenure, Tenure::Vacant), "it came back: {created:?}");
        token = leader.leads_after(token).await;
    }
    election.assert_exclusive();
    leader.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_neither_keep_a_dead_leaders_successor_waiting_nor_hurry_it() {
    let server = server();
    let url = |address| server.url_through(address, "jobs");
    let pair = Pair::start(server.address(), url, timing()).await;
    for _ in 0..5 {
        let token = pair.give_to_the_linked().await;
        pair.link.black_hole(Direction::Both);
        // It is labelled until there is a successor.
        labelled(&server, pair.direct.leads_after(token)).await;
        pair.link.heal();
        pair.linked.follows("direct").await;
    }
    pair.election.assert_exclusive();
    pair.end().await;
}

/// Somebody labels the Lease all the time.
async fn labelled(server: &Apiserver, until: impl Future<Output = FencingToken>) {
    let label = async {
        for number in 0.. {
            let label = format!("touched=a-{number}");
            block_in_place(|| {
                server.kubectl(&["label", "--overwrite", "lease", "jobs", &label]);
            });
            time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        _ = until => {}
        () = label => unreachable!("it goes on for ever"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_are_nobodys_affair_cost_no_term() {
    let server = server();
    let url = server.url("jobs");
    let election = Election::of_a_free_lease(&url, seldom()).await;
    let [leader, standby] = election.leader_and_standby(("a", &url), ("b", &url)).await;
    let token = leader.leads().await.number();
    let renewed = r#"{"spec": {"renewTime": "2030-01-01T00:00:00.000000Z"}}"#;
    for _ in 0..3 {
        block_in_place(|| {
            server.kubectl(&["annotate", "--overwrite", "lease", "jobs", "note=do not touch"]);
            server.kubectl(&["label", "--overwrite", "lease", "jobs", "team=shop"]);
            patch(&server, renewed);
            patch(&server, r#"{"metadata": {"labels": {"team": null}}}"#);
        });
        let act = election.act_after(election.now() + seldom().retry_interval()).await;
        assert_eq!(act.token, token, "another term: {act:?}");
    }
    let act = election.act_after(election.now() + seldom().lease_duration()).await;
    assert_eq!(act.token, token, "another term: {act:?}");
    election.hand_over(&leader, &standby).await;
    let note = "--output=jsonpath={.metadata.annotations.note}";
    assert_eq!(block_in_place(|| server.kubectl(&["get", "lease", "jobs", note])), "do not touch");
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}
