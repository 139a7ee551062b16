//! What an election costs, by the apiserver's own count. (Alone in its file: the count is of all leases.)

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::Subject;
use leasehold_core::{Candidate, Elector, Status, Timing, create_free};
use leasehold_testkit::kubernetes::Apiserver;
use tokio::time;
use tokio_util::sync::CancellationToken;

/// The verb and the answer of each request about leases, and how many there were.
fn requests() -> BTreeMap<(String, String), u64> {
    let page = Apiserver::shared().kubectl(&["get", "--raw=/metrics"]);
    let counts = page.lines().filter(|line| {
        line.starts_with("apiserver_request_total{") && line.contains("resource=\"leases\"")
    });
    let mut requests = BTreeMap::new();
    for line in counts {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let count: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
        *requests.entry((label("verb"), label("code"))).or_default() += count as u64;
    }
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_costs_one_put_for_each_renewal_and_standbys_nothing() {
    let subject = Subject::new();
    create_free(&subject.lock().await).await.unwrap();
    let timing = Timing::fast();
    let mut electors = Vec::new();
    for name in ["a", "b", "c"] {
        let candidate = Candidate::new(name).unwrap();
        electors.push(Elector::new(subject.lock().await, candidate).with_timing(timing));
    }
    let leadership = electors[0].campaign(&CancellationToken::new()).await.unwrap();
    let shutdown = CancellationToken::new();
    let standbys = electors[1..].iter().map(|standby| standby.campaign(&shutdown));
    let measure = async {
        for standby in &electors[1..] {
            let follows = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
            standby.status().wait_for(follows).await.unwrap();
        }
        // What they began with is over.
        time::sleep(Duration::from_secs(1)).await;
        let (before, period) = (requests(), Duration::from_secs(10));
        time::sleep(period).await;
        let after = requests();
        shutdown.cancel();
        let mut made: BTreeMap<_, _> = after
            .into_iter()
            .map(|(what, count)| (what.clone(), count - before.get(&what).unwrap_or(&0)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let put = made.remove(&("PUT".to_owned(), "200".to_owned())).unwrap_or_default();
        let renewals = period.div_duration_f64(timing.retry_interval()) as u64;
        // The count is asked for a moment later, and the apiserver has a Lease of its own.
        assert!(put <= renewals + 5, "{put} PUTs for {renewals} renewals");
        assert!(put >= renewals * 3 / 4, "{put} PUTs for {renewals} renewals");
        assert!(made.is_empty(), "and besides {made:?}");
    };
    let (ended, ()) = futures::future::join(futures::future::join_all(standbys), measure).await;
    assert!(ended.iter().all(Result::is_err));
    leadership.resign().await;
}
