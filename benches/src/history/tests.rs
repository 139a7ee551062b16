use super::*;

fn start(token: u64) -> Event {
    Event::Start { token: Some(token) }
}
fn stop(last: u64) -> Event {
    Event::Stop { last: Some(last), why: "resigned".into() }
}

#[test]
fn one_after_the_other_is_no_overlap() {
    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.record(0, 20, &stop(19));
    history.record(1, 20, &start(2));
    assert!(history.overlaps().is_empty() && history.stale_tokens().is_empty());
}

#[test]
fn the_work_counts_and_not_when_its_end_was_told() {
    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.record(1, 20, &start(2));
    history.record(0, 500, &stop(19));
    assert!(history.overlaps().is_empty());
}

#[test]
fn an_overlap_is_seen_whatever_the_order_of_telling() {
    let mut history = History::default();
    history.record(1, 20, &start(2));
    history.record(0, 10, &start(1));
    history.record(0, 30, &stop(25));
    assert_eq!(history.overlaps(), [Overlap { earlier: Some(1), later: Some(2), nanos: 5 }]);
}

#[test]
fn a_term_that_outlives_its_successor_overlaps_the_one_after_it_too() {
    let mut history = History::default();
    for (who, at, event) in [
        (0, 10, start(1)),
        (1, 20, start(2)),
        (1, 30, stop(29)),
        (2, 40, start(3)),
        (0, 60, stop(50)),
        (2, 90, stop(80)),
    ] {
        history.record(who, at, &event);
    }
    let nanos: Vec<_> = history.overlaps().iter().map(|overlap| overlap.nanos).collect();
    // It ends with the first of the two that ends.
    assert_eq!(nanos, [9, 10]);
}

#[test]
fn who_is_killed_was_at_work_until_then_unless_it_knew_better() {
    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.record(1, 20, &start(2));
    history.killed(0, 25);
    assert_eq!(history.overlaps()[0].nanos, 5);

    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.record(0, 11, &Event::Renewed { until: 19 });
    history.record(1, 20, &start(2));
    history.killed(0, 25);
    assert!(history.overlaps().is_empty());
}

#[test]
fn what_the_killed_one_told_before_its_death_belongs_to_its_term_when_it_is_heard_after_it() {
    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.record(0, 11, &Event::Sending);
    history.record(0, 12, &Event::Renewed { until: 20 });
    history.killed(0, 25);
    history.record(0, 24, &Event::Sending);
    assert_eq!(history.terms()[0].sendings, [11, 24]);
    assert_eq!(history.terms()[0].last, Some(20));
    history.record(0, 25, &Event::Renewed { until: 40 });
    let term = &history.terms()[0];
    assert_eq!((term.until, term.last, term.end), (Some(40), Some(25), Some(25)));
    assert!(!history.leads(0));

    // What comes later is its successor's in the same place.
    history.record(0, 30, &Event::Sending);
    history.record(0, 31, &start(2));
    assert_eq!(history.terms()[0].sendings, [11, 24]);
    assert_eq!(history.terms()[1].sendings, [30]);

    let mut history = History::default();
    history.record(0, 10, &start(1));
    history.killed(0, 25);
    history.record(0, 22, &stop(21));
    let term = &history.terms()[0];
    assert_eq!((term.last, term.end, term.why.as_deref()), (Some(21), Some(22), Some("resigned")));
}

#[test]
fn tokens_that_do_not_grow_are_seen() {
    let mut history = History::default();
    for (at, token) in [(10, 5), (20, 5), (30, 9), (40, 7), (50, 8)] {
        history.record(0, at, &start(token));
        history.record(0, at + 5, &stop(at + 4));
    }
    assert_eq!(history.stale_tokens(), [(5, 5), (9, 7), (9, 8)]);
}

#[test]
fn who_has_no_tokens_has_none_that_could_be_stale_and_overlaps_all_the_same() {
    let mut history = History::default();
    history.record(0, 10, &Event::Start { token: None });
    history.record(1, 20, &Event::Start { token: None });
    history.record(0, 30, &stop(25));
    assert_eq!(history.stale_tokens(), []);
    assert_eq!(history.overlaps(), [Overlap { earlier: None, later: None, nanos: 5 }]);
}

#[test]
fn the_request_that_won_a_term_belongs_to_it() {
    let mut history = History::default();
    history.record(3, 5, &Event::Sending);
    history.record(3, 10, &start(1));
    assert_eq!(history.terms()[0].sendings, [5]);
    history.record(3, 12, &Event::Sending);
    assert_eq!(history.terms()[0].sendings, [5, 12]);
}
