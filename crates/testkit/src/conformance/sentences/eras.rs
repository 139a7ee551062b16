//! Which store it is, and what is left when it is another.

use leasehold_core::Swap;

use crate::conformance::{fixture::Fixture, writer::Writer};

/// For all handles, across writes: every wait starts anew when it changes.
pub async fn the_era_stays_while_the_store_does(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let renewed = writer.write(&held, &writer.held(&held, 1)).await;
    assert_eq!(renewed.era, held.era, "the era changed with a write");
    for other in Writer::several(fixture, 2).await {
        assert_eq!(other.look().await.era, held.era, "another handle sees another era");
    }
}

/// A store that may have lost a write says so.
pub async fn another_memory_of_the_store_is_another_era(fixture: &dyn Fixture) {
    let (_, held) = Writer::holding(fixture).await;
    if fixture.renew_era().await.is_done("a change of era") {
        let seen = Writer::of(fixture).await.look().await;
        assert_ne!(seen.era, held.era, "another memory of the store is shown as the same era");
        let again = Writer::of(fixture).await.look().await;
        assert_eq!(again, seen, "the new era does not stay");
    }
}

/// Whoever waited in the era before has waited for nothing.
pub async fn a_swap_from_before_a_change_of_era_is_refused(fixture: &dyn Fixture) {
    let (_, held) = Writer::holding(fixture).await;
    if fixture.renew_era().await.is_done("a change of era") {
        let writer = Writer::of(fixture).await;
        match writer.swap(&held, &writer.held(&held, 2)).await {
            Swap::Refused(_) => {
                let seen = writer.look().await;
                assert_eq!(seen.record, held.record, "a refused swap changed what is there");
                writer.write(&seen, &writer.held(&seen, 2)).await;
            }
            Swap::Written(seen) => {
                assert!(!fixture.compares_era(), "a swap from the era before was written");
                assert_ne!(seen.era, held.era, "a swap claims the era that it expected");
            }
        }
    }
}

/// It is how everybody sees that its release or its holder was of another time.
pub async fn a_record_from_before_a_change_of_era_keeps_its_own(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let free = writer.write(&held, &writer.free(&held, 1)).await;
    if fixture.renew_era().await.is_done("a change of era") {
        let seen = Writer::of(fixture).await.look().await;
        assert_eq!(seen.record, free.record, "a change of era changed the record");
        assert_ne!(Some(&seen.era), free.record.as_ref().map(|record| &record.era));
    }
}

/// Otherwise tokens would repeat, and a fence would let an old leader pass.
pub async fn a_store_that_forgot_shows_another_era_or_greater_versions(fixture: &dyn Fixture) {
    let (_, held) = Writer::holding(fixture).await;
    if fixture.forget().await.is_done("a loss of memory") {
        let writer = Writer::of(fixture).await;
        let absent = writer.look().await;
        assert_eq!(absent.record, None, "a store that forgot still shows a record");
        writer.refused(&held, &writer.held(&held, 1)).await;
        let new = writer.write(&absent, &writer.vacant(&absent, 0)).await;
        let grown = new.version.number() > held.version.number();
        assert!(grown || new.era != held.era, "after {held:?} the same era shows {new:?}");
    }
}

/// A label does not restart anybody's wait, nor end a term.
pub async fn a_touched_record_is_the_same_record(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    if fixture.touch().await.is_done("a touch") {
        let seen = writer.look().await;
        assert_eq!(seen.record, held.record, "a touch changed the record");
        assert_eq!(seen.era, held.era, "a touch changed the era");
        let (old, new) = (held.version.number(), seen.version.number());
        assert!(new >= old, "a touch took the version back from {old} to {new}");
        let renewed = writer.write(&seen, &writer.held(&seen, 1)).await;
        assert!(renewed.version.number() > old, "the version did not grow across a touch");
        assert_eq!(writer.look().await, renewed, "a write after a touch is not there");
    }
}
