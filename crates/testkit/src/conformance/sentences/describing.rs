//! What a backend says of itself.

use std::time::Duration;

use crate::conformance::{expect::shown, fixture::Fixture, writer::Writer};

/// An operator reads it in a log and knows which lease is meant.
pub async fn a_description_names_the_lease(fixture: &dyn Fixture) {
    let description = Writer::of(fixture).await.lock.describe();
    let name = fixture.lease_name();
    assert!(description.contains(&name), "{description:?} does not name {name:?}");
    let other = fixture.other_lock().await.describe();
    assert_ne!(description, other, "two leases have one description");
}

/// Neither what is meant for people nor what is meant for debugging, nor an error.
pub async fn no_description_shows_a_secret(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let texts = [writer.lock.describe(), format!("{:?}", writer.lock), format!("{held:?}")];
    for secret in fixture.secrets() {
        for text in &texts {
            assert!(
                !text.contains(&secret),
                "a secret is shown by {:?}",
                text.replace(&secret, "***")
            );
        }
    }
}

/// By whichever handle, before and after a write.
pub async fn guarantees_are_the_same_whenever_they_are_asked(fixture: &dyn Fixture) {
    let before = Writer::of(fixture).await.lock.guarantees();
    let (writer, _) = Writer::holding(fixture).await;
    assert_eq!(writer.lock.guarantees(), before, "the guarantees changed with a write");
    let description = writer.lock.describe();
    assert_eq!(writer.lock.describe(), description, "the description changes");
}

/// They are printed in a table, and a timing is checked against them.
pub async fn guarantees_make_sense(fixture: &dyn Fixture) {
    let guarantees = Writer::of(fixture).await.lock.guarantees();
    let backend = guarantees.backend;
    let plain = backend.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    assert!(plain && !backend.is_empty(), "{backend:?} is no name of a backend");
    assert!(!guarantees.memory_loss.trim().is_empty(), "nothing is said about a loss of memory");
    let (shortest, minute) = (guarantees.shortest_lease, Duration::from_secs(60));
    assert!(shortest > Duration::ZERO && shortest <= minute, "a shortest lease of {shortest:?}");
    let (retry, drift) = (guarantees.shortest_retry, guarantees.least_drift_percent);
    assert!(
        retry <= minute && drift < 50,
        "a shortest retry of {retry:?}, a least drift of {drift} %"
    );
}

/// Whoever is shown as gone loses its lease at once.
pub async fn a_living_holder_is_never_shown_as_gone(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let other = Writer::of(fixture).await;
    let mut watch = other.lock.watch();
    for token in 2..12 {
        assert!(!seen.holder_gone, "a living holder is shown as gone to itself");
        assert!(!other.look().await.holder_gone, "a living holder is shown as gone");
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
    }
    if writer.lock.guarantees().pushes {
        shown(&mut watch, "the last renewal", |shown| {
            assert!(!shown.holder_gone, "a living holder is shown as gone by a watch");
            shown.version == seen.version
        })
        .await;
    }
}

/// A closed connection proves nothing.
pub async fn only_a_store_that_proves_death_shows_a_holder_as_gone(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let proves_death = writer.lock.guarantees().proves_death;
    drop(writer);
    let seen = Writer::of(fixture).await.look().await;
    assert_eq!(seen.record, held.record, "a record went away with its writer's handle");
    assert!(proves_death || !seen.holder_gone, "a death is claimed that cannot be proven");
}
