//! The checker finds each violation that is planted, and nothing in a history that is clean.

use std::time::Duration;

use leasehold_testkit::{History, Violation, What};

fn history(events: impl IntoIterator<Item = (u64, &'static str, What)>) -> History {
    let history = History::starting_now();
    for (at, candidate, what) in events {
        history.record_at(ms(at), candidate, what);
    }
    history
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn term(candidate: &str, token: u64) -> (String, u64) {
    (candidate.to_owned(), token)
}

const fn began(token: u64) -> What {
    What::Began { token }
}

const fn worked(token: u64) -> What {
    What::Worked { token }
}

const fn stopped(token: u64) -> What {
    What::Stopped { token }
}

const fn admitted(token: u64) -> What {
    What::Admitted { token }
}

const fn calm(within: u64) -> What {
    What::Calm { within: ms(within) }
}

#[test]
fn a_clean_history_has_no_violations() {
    let clean = history([
        (0, "a", What::Campaigned),
        (0, "b", What::Campaigned),
        (10, "a", admitted(1)),
        (10, "a", began(1)),
        (20, "a", worked(1)),
        (30, "a", stopped(1)),
        (30, "a", What::Released { token: 1 }),
        (30, "b", admitted(4)),
        (30, "b", began(4)),
        (40, "b", worked(4)),
        (50, "b", What::Crashed),
        (90, "a", admitted(9)),
        (90, "a", began(9)),
        (91, "c", What::Refused { token: 4 }),
        (95, "net", calm(5)),
        (100, "a", worked(9)),
    ]);
    assert_eq!(clean.check(), []);
}

#[test]
fn work_after_the_next_term_began_is_an_overlap_reported_once_by_its_worst_moment() {
    let found = history([
        (0, "a", began(1)),
        (20, "b", began(2)),
        (21, "a", worked(1)),
        (29, "a", worked(1)),
        (30, "a", stopped(1)),
    ]);
    let overlap = Violation::Overlap { old: term("a", 1), new: term("b", 2), by: ms(9) };
    assert_eq!(found.check(), [overlap]);
}

#[test]
fn an_overlap_within_one_instant_is_found_by_the_order_of_events() {
    let found = history([(0, "a", began(1)), (20, "b", began(2)), (20, "a", worked(1))]);
    let overlap = Violation::Overlap { old: term("a", 1), new: term("b", 2), by: ms(0) };
    assert_eq!(found.check(), [overlap]);
    let clean = history([(0, "a", began(1)), (20, "a", worked(1)), (20, "b", began(2))]);
    assert_eq!(clean.check(), []);
}

#[test]
fn a_fence_write_after_the_next_term_began_is_an_overlap() {
    let found = history([(0, "a", began(1)), (20, "b", began(2)), (25, "a", admitted(1))]);
    let overlap = Violation::Overlap { old: term("a", 1), new: term("b", 2), by: ms(5) };
    assert_eq!(found.check(), [overlap]);
}

#[test]
fn an_overlap_with_a_term_long_ago_is_found() {
    let found = history([
        (0, "a", began(1)),
        (10, "b", began(2)),
        (20, "b", stopped(2)),
        (30, "c", began(3)),
        (40, "a", worked(1)),
    ]);
    let by = |new, by| Violation::Overlap { old: term("a", 1), new, by };
    assert_eq!(found.check(), [by(term("b", 2), ms(30)), by(term("c", 3), ms(10))]);
}

#[test]
fn work_that_ends_after_the_next_term_began_is_a_late_end() {
    let found = history([(0, "a", began(1)), (20, "b", began(2)), (30, "a", stopped(1))]);
    let late = Violation::LateEnd { old: term("a", 1), new: term("b", 2), by: ms(10) };
    assert_eq!(found.check(), [late]);
}

#[test]
fn who_was_frozen_may_stop_late_and_may_not_work_late() {
    let frozen = [
        (0, "a", began(1)),
        (5, "a", What::Froze),
        (20, "b", began(2)),
        (25, "a", What::Thawed),
        (30, "a", stopped(1)),
    ];
    assert_eq!(history(frozen.clone()).check(), []);
    let found = history(frozen.into_iter().chain([(26, "a", worked(1))]));
    let overlap = Violation::Overlap { old: term("a", 1), new: term("b", 2), by: ms(6) };
    assert_eq!(found.check(), [overlap]);
}

#[test]
fn a_token_that_repeats_or_falls_is_found() {
    let found = history([
        (0, "a", began(3)),
        (1, "a", stopped(3)),
        (2, "b", began(3)),
        (3, "b", stopped(3)),
        (4, "c", began(2)),
    ]);
    let not_grown = |new| Violation::TokenNotGrown { old: term("a", 3), new };
    assert_eq!(found.check(), [not_grown(term("b", 3)), not_grown(term("c", 2))]);
}

#[test]
fn work_without_a_term_is_found() {
    let found = history([(5, "a", worked(1))]);
    assert_eq!(found.check(), [Violation::WorkOutsideTerm { term: term("a", 1), at: ms(5) }]);
}

#[test]
fn work_after_the_end_of_its_term_is_found() {
    let found = history([(0, "a", began(1)), (5, "a", stopped(1)), (6, "a", worked(1))]);
    assert_eq!(found.check(), [Violation::WorkOutsideTerm { term: term("a", 1), at: ms(6) }]);
}

#[test]
fn work_after_a_crash_is_found() {
    let found = history([(0, "a", began(1)), (5, "a", What::Crashed), (6, "a", worked(1))]);
    assert_eq!(found.check(), [Violation::WorkOutsideTerm { term: term("a", 1), at: ms(6) }]);
}

#[test]
fn a_stale_write_that_a_fence_admits_is_found() {
    let found = history([(5, "b", admitted(2)), (6, "a", admitted(1))]);
    let stale = Violation::StaleAdmitted { term: term("a", 1), newest: 2, at: ms(6) };
    assert_eq!(found.check(), [stale]);
}

#[test]
fn the_newest_token_that_a_fence_refuses_is_found() {
    let found = history([(5, "b", admitted(2)), (6, "b", What::Refused { token: 2 })]);
    assert_eq!(found.check(), [Violation::FreshRefused { term: term("b", 2), at: ms(6) }]);
}

#[test]
fn nobody_who_leads_after_the_faults_is_found() {
    let nobody = Violation::NobodyLeads { since: ms(10), within: ms(50) };
    assert_eq!(history([(10, "net", calm(50))]).check(), std::slice::from_ref(&nobody));
    let ended = [(0, "a", began(1)), (10, "net", calm(50)), (40, "a", stopped(1))];
    assert_eq!(history(ended.clone()).check(), std::slice::from_ref(&nobody));
    let too_late = ended.into_iter().chain([(61, "b", began(2))]);
    assert_eq!(history(too_late).check(), [nobody]);
}

#[test]
fn events_are_judged_in_the_order_of_their_time() {
    let found = history([(30, "a", stopped(1)), (10, "a", began(1)), (20, "a", worked(1))]);
    assert_eq!(found.check(), []);
}

#[test]
fn a_history_can_be_handed_on_as_text() {
    let events = history([(0, "a", began(1)), (7, "net", calm(50))]).events();
    let text = serde_json::to_string(&events).unwrap();
    assert_eq!(serde_json::from_str::<Vec<leasehold_testkit::Event>>(&text).unwrap(), events);
}
