//! A swap is exact, and a refusal is an answer.

use leasehold_core::{Era, Observation, Record, Swap, Version};

use crate::conformance::{fixture::Fixture, writer::Writer};

/// Whoever names what is there, may replace it.
pub async fn a_swap_over_what_is_there_is_written(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let record = writer.held(&held, 2);
    writer.write(&held, &record).await;
    assert_eq!(writer.look().await.record, Some(record), "a written swap is not there");
}

/// The next swap names what this one returned: it must be what the store shows, to the letter.
pub async fn a_written_swap_returns_what_is_then_observed(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let reader = Writer::of(fixture).await;
    for token in 2..12 {
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        assert_eq!(writer.look().await, seen, "a swap returned something else than is read");
        assert_eq!(reader.look().await, seen, "a swap returned something else than is read");
    }
}

/// Nothing of an observation belongs to the handle that made it.
pub async fn a_swap_over_what_another_handle_observed_is_written(fixture: &dyn Fixture) {
    let (first, held) = Writer::holding(fixture).await;
    let second = Writer::of(fixture).await;
    let seen = second.write(&held, &second.held(&held, 2)).await;
    first.write(&seen, &first.held(&seen, 3)).await;
}

/// Whoever has waited out version 5 and meets version 6 has waited for nothing.
pub async fn a_swap_over_an_older_version_is_refused(fixture: &dyn Fixture) {
    let (writer, first) = Writer::holding(fixture).await;
    let second = writer.write(&first, &writer.held(&first, 1)).await;
    let third = writer.write(&second, &writer.held(&second, 1)).await;
    let rival = Writer::of(fixture).await;
    for old in [&first, &second] {
        rival.refused(old, &rival.held(old, 2)).await;
        rival.refused(old, &rival.free(old, 2)).await;
        rival.refused(old, &rival.vacant(old, 2)).await;
        writer.refused(old, &writer.held(old, 1)).await;
    }
    assert_eq!(writer.look().await, third, "a refused swap changed what is there");
}

/// A number is no proof of having seen what it stands for, and a greater one no better.
pub async fn a_swap_over_a_version_to_come_is_refused(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let number = Version::new(held.version.number() + 1).expect("a version that is believed");
    let witness = held.version.witness().unwrap_or_default();
    for version in [number.clone(), number.with_witness(witness)] {
        let guessed = Observation { version, ..held.clone() };
        writer.refused(&guessed, &writer.held(&held, 2)).await;
    }
    assert_eq!(writer.look().await, held, "a refused swap changed what is there");
}

/// A version of one era says nothing about the same number in another.
pub async fn a_swap_over_the_version_of_another_era_is_refused(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let foreign = Observation { era: Era::new("another era"), ..held.clone() };
    match writer.swap(&foreign, &writer.held(&foreign, 2)).await {
        Swap::Refused(_) => {
            assert_eq!(writer.look().await, held, "a refused swap changed what is there");
        }
        // Its author sees from the era that it must not lead by this.
        Swap::Written(seen) if !fixture.compares_era() => {
            assert_eq!(seen.era, held.era, "a swap claims the era that it expected");
        }
        Swap::Written(seen) => panic!("a swap over another era was written as {seen:?}"),
    }
}

/// A refusal is never an error, and what it shows is true.
pub async fn a_refusal_shows_what_is_there_or_nothing(fixture: &dyn Fixture) {
    let (writer, old) = Writer::holding(fixture).await;
    let renewed = writer.write(&old, &writer.held(&old, 1)).await;
    let rival = Writer::of(fixture).await;
    let there = rival.refused(&old, &rival.held(&old, 2)).await;
    assert!(there.is_none_or(|there| there == renewed), "a refusal shows what is not there");
    fixture.delete().await;
    let there = rival.refused(&renewed, &rival.held(&renewed, 2)).await;
    assert!(there.is_none_or(|there| there.record.is_none()), "a refusal shows a deleted record");
}

/// Neither the record nor its version.
pub async fn a_refusal_changes_nothing(fixture: &dyn Fixture) {
    let (writer, old) = Writer::holding(fixture).await;
    let renewed = writer.write(&old, &writer.held(&old, 1)).await;
    for _ in 0..10 {
        writer.refused(&old, &writer.held(&old, 2)).await;
        assert_eq!(writer.look().await, renewed, "a refused swap changed what is there");
    }
    writer.write(&renewed, &writer.held(&renewed, 3)).await;
}

/// A network may deliver a request twice; its author may send it again.
pub async fn a_swap_that_is_sent_twice_is_written_once(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let record = writer.held(&held, 2);
    let written = writer.write(&held, &record).await;
    let there = writer.refused(&held, &record).await;
    assert!(there.is_none_or(|there| there == written), "a refusal shows what is not there");
    assert_eq!(writer.look().await, written, "the same swap was written twice");
}

/// The store knows nothing of roles: it replaces what is named, whoever asks.
pub async fn a_renewal_a_release_and_an_acquisition_are_the_same_step(fixture: &dyn Fixture) {
    let (leader, acquired) = Writer::holding(fixture).await;
    let successor = Writer::of(fixture).await;
    let renewed = leader.write(&acquired, &leader.held(&acquired, 1)).await;
    let released = leader.write(&renewed, &leader.free(&renewed, 1)).await;
    assert_eq!(released.record.as_ref().and_then(Record::holder), None, "a free lease is held");
    let taken = successor.write(&released, &successor.held_by("pod-b", &released, 2)).await;
    assert_eq!(taken.record.as_ref().and_then(Record::holder), Some("pod-b"));
    leader.refused(&renewed, &leader.free(&renewed, 1)).await;
    assert_eq!(leader.look().await, taken, "a late release blanked the successor's lease");
}
