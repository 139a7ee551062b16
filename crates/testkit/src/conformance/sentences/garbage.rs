//! Nothing is given away: what cannot be read is not free.

use leasehold_core::{ErrorKind, Observation, Swap, Tenure};

use crate::conformance::{expect::within, fixture::Fixture, garbage::Garbage, writer::Writer};

/// An answer, neither an error nor absence, and above all not a free lease.
pub async fn what_cannot_be_read_is_shown_as_vacant(fixture: &dyn Fixture) {
    let (writer, _) = Writer::holding(fixture).await;
    for garbage in Garbage::VACANT {
        if fixture.garble(garbage).await.is_done(garbage) {
            vacant(&writer, garbage).await;
            vacant(&Writer::of(fixture).await, garbage).await;
        }
    }
}

/// Otherwise the lease would be lost for ever.
pub async fn what_cannot_be_read_is_replaced_by_an_exact_swap(fixture: &dyn Fixture) {
    let (writer, _) = Writer::holding(fixture).await;
    for (token, garbage) in (2..).zip(Garbage::VACANT) {
        if fixture.garble(garbage).await.is_done(garbage) {
            let seen = vacant(&writer, garbage).await;
            let held = writer.write(&seen, &writer.held(&seen, token)).await;
            assert_eq!(writer.look().await, held, "{garbage} was not replaced");
            writer.refused(&seen, &writer.held(&seen, token)).await;
            assert_eq!(writer.look().await, held, "a swap over {garbage} was written twice");
        }
    }
}

/// Whoever believes in the record from before must find out.
pub async fn a_swap_over_a_record_that_was_garbled_is_refused(fixture: &dyn Fixture) {
    let (writer, mut held) = Writer::holding(fixture).await;
    for (token, garbage) in (2..).zip(Garbage::VACANT) {
        if fixture.garble(garbage).await.is_done(garbage) {
            writer.refused(&held, &writer.held(&held, token)).await;
            let seen = vacant(&writer, garbage).await;
            held = writer.write(&seen, &writer.held(&seen, token)).await;
        }
    }
}

/// Garbage has a version, too: it was waited out, and no other.
pub async fn a_swap_over_other_garbage_is_refused(fixture: &dyn Fixture) {
    let (writer, _) = Writer::holding(fixture).await;
    if fixture.garble(Garbage::Foreign).await.is_done(Garbage::Foreign) {
        let first = vacant(&writer, Garbage::Foreign).await;
        if fixture.garble(Garbage::Torn).await.is_done(Garbage::Torn) {
            writer.refused(&first, &writer.held(&first, 2)).await;
            let second = vacant(&writer, Garbage::Torn).await;
            writer.write(&second, &writer.held(&second, 2)).await;
        }
    }
}

/// From the record before to the record after.
pub async fn versions_grow_across_garbage(fixture: &dyn Fixture) {
    let (writer, mut held) = Writer::holding(fixture).await;
    for (token, garbage) in (2..).zip(Garbage::VACANT) {
        if fixture.garble(garbage).await.is_done(garbage) {
            let seen = vacant(&writer, garbage).await;
            let after = writer.write(&seen, &writer.held(&seen, token)).await;
            let (old, new) = (held.version.number(), after.version.number());
            assert!(new > old, "the version went from {old} to {new} across {garbage}");
            held = after;
        }
    }
}

/// There would be no room left to grow. What stood there before may still be shown.
pub async fn an_absurd_version_is_not_believed(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    if fixture.garble(Garbage::AbsurdVersion).await.is_done(Garbage::AbsurdVersion) {
        let seen = writer.look().await;
        let tenure = seen.record.as_ref().map(|record| &record.tenure);
        let given_away = matches!(tenure, None | Some(Tenure::Free));
        assert!(!given_away, "a record of an absurd version is shown as {seen:?}");
        let after = writer.write(&seen, &writer.held(&seen, 2)).await;
        assert!(after.version.number() > held.version.number(), "the version did not grow");
        assert_eq!(writer.look().await, after, "the absurd version was not replaced");
    }
}

/// An old candidate does not guess at what a new one wrote; its operator is told.
pub async fn a_newer_format_is_an_error_that_names_it(fixture: &dyn Fixture) {
    let (writer, _) = Writer::holding(fixture).await;
    if fixture.garble(Garbage::Newer).await.is_done(Garbage::Newer) {
        newer(&writer).await;
        newer(&Writer::of(fixture).await).await;
    }
}

/// Not even by one who knows what stood there before, or that nothing did.
pub async fn a_newer_format_is_never_overwritten(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    let held = writer.create().await;
    if fixture.garble(Garbage::Newer).await.is_done(Garbage::Newer) {
        for expected in [&absent, &held] {
            let record = writer.held(expected, 2);
            let swap = writer.lock.swap(expected, &record);
            // The error is true as well: it says why nothing can be shown.
            if let Ok(Swap::Written(seen)) = within("swap", swap).await {
                panic!("a newer format was overwritten: {seen:?}");
            }
        }
        newer(&writer).await;
    }
}

async fn vacant(writer: &Writer, garbage: Garbage) -> Observation {
    let seen = writer.look().await;
    let tenure = seen.record.as_ref().map(|record| &record.tenure);
    assert_eq!(tenure, Some(&Tenure::Vacant), "{garbage} is shown as {seen:?}");
    assert!(!seen.holder_gone, "{garbage} is shown as proof that nobody leads");
    seen
}

async fn newer(writer: &Writer) {
    let error = match within("observe", writer.lock.observe()).await {
        Ok(seen) => panic!("a newer format is shown as {seen:?}"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::NewerFormat, "{error:?}");
    let named = error.to_string().contains(&Garbage::NEWER.to_string());
    assert!(named, "the format {} is not named: {error}", Garbage::NEWER);
}
