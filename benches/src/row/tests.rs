use super::*;
use crate::table::ratio;

/// Crashes of ours on files, which took so long from the fault, and from the end of the lease.
fn crashes(failover_ms: i64, excess_ms: i64) -> Row {
    const MS: i64 = 1_000_000;
    let round = Round {
        fault_at: 1,
        leader: 0,
        token: Some(1),
        successor: 1,
        next_token: Some(2),
        start: 2,
        failover: failover_ms * MS,
        excess: Some(excess_ms * MS),
        overlap: 0,
        woken_stop: None,
        stopped_before: None,
    };
    let subject = Subject {
        store: "file".into(),
        program: "leasehold".into(),
        is_peer: false,
        settings: "equal".into(),
        fault: Fault::Crash,
        timing: "1s/700ms/150ms".parse().unwrap(),
    };
    let lease = Lease { planned: 30, rounds: vec![round; 10], ..Lease::default() };
    Row::new(subject, None, vec![lease])
}

#[test]
fn rounds_that_were_not_done_are_seen() {
    let mut row = crashes(3, -600);
    assert_eq!(row.counted(), "10 of 30");
    row.planned = 10;
    assert_eq!(row.counted(), "10");
}

#[test]
fn a_crash_counts_from_the_end_of_the_lease_but_for_ours_where_a_death_is_proven() {
    // What came out decides nothing: a peer that takes over early is not fast.
    let mut early = crashes(900, -92);
    assert_eq!(early.measure(), Measure::Failover);
    early.floor = Some([1_000_000].into_iter().collect());
    assert_eq!(ratio(&early), Some(900.0));
    early.is_peer = true;
    assert_eq!(early.measure(), Measure::Excess);
    assert_eq!(ratio(&early), None, "no multiple is less than nothing");
    (early.is_peer, early.store) = (false, "redis".into());
    assert_eq!(early.measure(), Measure::Excess);
}

#[test]
fn a_goal_is_judged_by_what_it_names_whatever_came_out() {
    let proven = crashes(3, -600);
    assert_eq!(proven.verdict.unwrap().describe(), "p50 met");
    // The death was not proven, and the lease waited out: 2 ms after its end are no merit.
    let broken = crashes(900, 2);
    assert_eq!(broken.measure(), Measure::Failover);
    assert_eq!(broken.compared().p50(), Some(900_000_000));
    assert!(broken.verdict.unwrap().is_missed());
}
