//! Versions grow: fencing tokens rest on it.

use leasehold_core::{Observation, Version};

use crate::conformance::{fixture::Fixture, writer::Writer};

/// By one or by more, whoever writes, and however fast one follows the other.
pub async fn versions_grow_with_every_write(fixture: &dyn Fixture) {
    let (first, mut seen) = Writer::holding(fixture).await;
    let second = Writer::of(fixture).await;
    for token in 2..40 {
        let writer = if token % 2 == 0 { &first } else { &second };
        seen = grown(&seen, writer.write(&seen, &writer.held(&seen, token)).await);
    }
}

/// A released lease is taken at a greater version than it was held.
pub async fn versions_grow_across_a_release(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    for token in 2..8 {
        seen = grown(&seen, writer.write(&seen, &writer.free(&seen, token)).await);
        seen = grown(&seen, writer.write(&seen, &writer.vacant(&seen, token)).await);
        seen = grown(&seen, writer.write(&seen, &writer.held(&seen, token)).await);
    }
}

/// A deleted record takes its token with it; the version has to stand in for it.
pub async fn versions_grow_across_deletion_and_recreation(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    for token in 2..8 {
        seen = grown(&seen, writer.write(&seen, &writer.held(&seen, token)).await);
        fixture.delete().await;
        let absent = writer.look().await;
        seen = grown(&seen, writer.write(&absent, &writer.vacant(&absent, 0)).await);
    }
}

/// There is room to grow.
pub async fn no_version_is_above_what_is_believed(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    // The type sees to the rest; half of the way up there is not where a store should begin.
    let half = Version::MAX / 2;
    assert!(held.version.number() < half, "{:?} leaves no room to grow", held.version);
    assert!(writer.look().await.version.number() < half);
}

fn grown(before: &Observation, after: Observation) -> Observation {
    assert!(
        after.version.number() > before.version.number(),
        "a write did not raise the version: from {:?} to {:?}",
        before.version,
        after.version
    );
    after
}
