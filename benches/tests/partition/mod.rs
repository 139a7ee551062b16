//! What is measured of a partition, with contenders whose every step is known.
mod toy_store;

use clap::Parser;
use leasehold_bench::{Fault, Options, Outcome, Surroundings, measure};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const MILLISECOND: i64 = 1_000_000;

/// Partitions fakes of some behaviour.
async fn partition(behaviour: &str, faults: &str, rounds: &str) -> Outcome {
    let directory = TempDir::new().unwrap();
    let around = Surroundings {
        contender: env!("CARGO_BIN_EXE_fake").into(),
        floor: env!("CARGO_BIN_EXE_floor").into(),
        target: directory.path().into(),
    };
    let url = format!("fake://{}/{behaviour}/{{}}", toy_store::start());
    let options = [
        "failover",
        "--no-floor",
        "--url",
        &url,
        "--faults",
        faults,
        "--rounds",
        rounds,
        "--timing",
        "600ms/400ms/50ms",
    ];
    let options = Options::try_parse_from(options).unwrap();
    measure(&options, &around, CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn the_end_of_the_lease_follows_from_the_last_request_that_got_through() {
    let outcome = partition("good", "partition,partition-requests,partition-replies", "3").await;
    assert_eq!(outcome.violations(), Vec::<String>::new());
    let faults = [Fault::Partition, Fault::PartitionRequests, Fault::PartitionReplies];
    assert_eq!(outcome.rows.iter().map(|row| row.fault).collect::<Vec<_>>(), faults);
    for row in &outcome.rows {
        let name = row.fault;
        assert_eq!((row.failover.n(), row.excess.n(), row.unplanned), (3, 3, 0), "{name}");
        // A fake goes on asking every 5 ms for another 420 ms, and says so. Counted among what got
        // through, or left out where it did, these requests would move the result by as much.
        let excess = row.excess.p50().unwrap();
        assert!((-50 * MILLISECOND..300 * MILLISECOND).contains(&excess), "{name}: {excess}");
        // A round has ended when the one that was cut off has stopped.
        assert_eq!(row.stopped_before.n(), 3, "{name}");
    }
}

#[tokio::test]
async fn one_that_works_on_although_it_is_cut_off_is_found() {
    let outcome = partition("stubborn", "partition,partition-requests", "1").await;
    for row in &outcome.rows {
        assert!(row.worst_overlap() > 0, "{}", row.fault);
        assert!(row.stopped_before.max().unwrap() < 0, "it stopped too late");
    }
    assert!(outcome.violations().iter().any(|text| text.starts_with("OVERLAP: fake: partition ")));
}

#[tokio::test]
async fn what_a_woken_leader_sends_when_another_leads_prolongs_nothing() {
    // One that works on until it is told that it may not asks at once when it wakes.
    let outcome = partition("stubborn", "freeze", "2").await;
    let row = &outcome.rows[0];
    assert_eq!(row.excess.n(), 2);
    assert!(row.excess.min().unwrap() > -300 * MILLISECOND, "{:?}", row.excess);
}
