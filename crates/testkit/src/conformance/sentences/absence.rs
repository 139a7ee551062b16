//! Nothing is there: it is said so, proves nothing, and is written over exactly.

use leasehold_core::{Observation, Record, Tenure};

use crate::conformance::{fixture::Fixture, writer::Writer};

/// No record is an answer, neither an error nor a vacant record.
pub async fn a_lease_that_was_never_written_is_shown_as_absent(fixture: &dyn Fixture) {
    for writer in Writer::several(fixture, 2).await {
        assert_eq!(writer.look().await.record, None, "a record is shown that nobody wrote");
    }
}

/// As if it had never been written; what that means is the kernel's business.
pub async fn a_deleted_record_is_shown_as_absent(fixture: &dyn Fixture) {
    let (writer, _) = Writer::holding(fixture).await;
    fixture.delete().await;
    assert_eq!(writer.look().await.record, None, "a deleted record is still shown");
    assert_eq!(Writer::of(fixture).await.look().await.record, None, "a deleted record is shown");
}

/// The first write of a lease is a swap like any other.
pub async fn a_record_is_written_where_nothing_is(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    let record = writer.vacant(&absent, 5);
    let written = writer.write(&absent, &record).await;
    assert_eq!(writer.look().await, written, "the first write returned what is not there");
    // The era may be known only once something is written: it has a sentence of its own.
    let Some(Record { era, .. }) = written.record.clone() else {
        panic!("nothing is shown where a record was written");
    };
    assert_eq!(written.record, Some(Record { era, ..record }), "it was written changed");
}

/// Where the era is only known once something is written, the record is of that era: otherwise a
/// lease that an operator frees could never be taken at once.
pub async fn a_record_written_where_nothing_is_belongs_to_the_era_it_is_shown_in(
    fixture: &dyn Fixture,
) {
    let written = Writer::of(fixture).await.create().await;
    let era = written.record.map(|record| record.era);
    assert_eq!(era, Some(written.era), "a new record is of another era than its observation");
}

/// That is how the wait on a first roll-out is avoided.
pub async fn an_operator_makes_a_lease_free_where_nothing_is(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    writer.write(&absent, &Record::free(absent.era.clone())).await;
    let seen = Writer::of(fixture).await.look().await;
    let Some(record) = &seen.record else { panic!("nothing is shown where a record was written") };
    assert_eq!(record.tenure, Tenure::Free, "a lease that was made free is not shown as free");
    assert_eq!(record.era, seen.era, "a lease was made free in another era than it is shown in");
}

/// Absence is an expectation like any other: it may have been true a moment ago.
pub async fn a_swap_over_nothing_is_refused_where_something_is(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    let held = writer.create().await;
    let rival = Writer::of(fixture).await;
    rival.refused(&absent, &rival.vacant(&absent, 0)).await;
    let guessed = Observation::absent(held.era.clone(), held.version.clone());
    rival.refused(&guessed, &rival.vacant(&guessed, 0)).await;
    assert_eq!(rival.look().await, held, "a refused swap changed what is there");
}

/// A late renewal of a deleted record must not bring it back to life.
pub async fn a_deleted_record_is_never_resurrected(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    fixture.delete().await;
    writer.refused(&held, &writer.held(&held, 1)).await;
    assert_eq!(writer.look().await.record, None, "a renewal resurrected a deleted record");
    writer.refused(&held, &writer.free(&held, 1)).await;
    assert_eq!(writer.look().await.record, None, "a release resurrected a deleted record");
}

/// Deleted and written again, even with the same words, is another record.
pub async fn a_recreated_record_is_not_taken_for_the_deleted_one(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    let record = writer.vacant(&absent, 1);
    let first = writer.write(&absent, &record).await;
    fixture.delete().await;
    let absent = writer.look().await;
    let second = writer.write(&absent, &Record { era: absent.era.clone(), ..record }).await;
    assert_ne!(first.version, second.version, "a recreated record has a deleted one's version");
    writer.refused(&first, &writer.held(&first, 2)).await;
    assert_eq!(writer.look().await, second, "a refused swap changed what is there");
}
