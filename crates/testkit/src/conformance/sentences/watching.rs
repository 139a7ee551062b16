//! A watch makes failover fast, and no promise rests on it.

use futures::StreamExt;
use leasehold_core::Observation;

use crate::conformance::{
    expect::{pushed, shown},
    fixture::Fixture,
    writer::Writer,
};

/// A standby begins with it.
pub async fn a_watch_shows_what_is_there_now(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    shown(&mut writer.lock.watch(), "what is there", |seen| *seen == held).await;
    let other = Writer::of(fixture).await;
    shown(&mut other.lock.watch(), "what is there", |seen| *seen == held).await;
}

/// Nothing is an observation, too.
pub async fn a_watch_shows_that_nothing_is_there(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    // Its version may be that of the store, which the writes of other leases move.
    let same = |seen: &Observation| {
        seen.record.is_none()
            && seen.era == absent.era
            && seen.version.number() >= absent.version.number()
    };
    shown(&mut writer.lock.watch(), "that nothing is there", same).await;
}

/// Each write reaches whoever watches, unless a later one does.
pub async fn a_watch_shows_the_writes_of_another_handle(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    if !pushes(&writer) {
        return;
    }
    let watcher = Writer::of(fixture).await;
    let mut watch = watcher.lock.watch();
    shown(&mut watch, "what is there", |shown| *shown == seen).await;
    for token in 2..10 {
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        shown(&mut watch, "a renewal", |shown| *shown == seen).await;
        seen = writer.write(&seen, &writer.free(&seen, token)).await;
        shown(&mut watch, "a release", |shown| *shown == seen).await;
    }
}

/// The deletion itself may be left out; what is written after it may not.
pub async fn a_watch_goes_on_after_a_deletion(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    if !pushes(&writer) {
        return;
    }
    let mut watch = Writer::of(fixture).await.lock.watch();
    shown(&mut watch, "what is there", |seen| *seen == held).await;
    fixture.delete().await;
    let absent = writer.look().await;
    // Otherwise the deletion and what follows it might be seen as one change.
    pushed(&mut watch);
    let created = writer.write(&absent, &writer.vacant(&absent, 1)).await;
    shown(&mut watch, "a record after a deletion", |seen| *seen == created).await;
    let held = writer.write(&created, &writer.held(&created, 2)).await;
    shown(&mut watch, "a write after a deletion", |seen| *seen == held).await;
}

/// It may be late, repeat itself or leave something out. It invents nothing.
pub async fn a_watch_shows_only_what_was_there(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    if !pushes(&writer) {
        return;
    }
    let mut watch = Writer::of(fixture).await.lock.watch();
    let mut written = vec![seen.clone()];
    for token in 2..20 {
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        written.push(seen.clone());
    }
    shown(&mut watch, "the last of many writes", |shown| {
        assert!(written.contains(shown), "a watch shows what never was there: {shown:?}");
        *shown == seen
    })
    .await;
}

/// Each has its own; an elector that ends takes nobody's news with it.
pub async fn a_watch_that_is_dropped_leaves_the_others_alive(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    if !pushes(&writer) {
        return;
    }
    let watcher = Writer::of(fixture).await;
    let mut kept = watcher.lock.watch();
    shown(&mut kept, "what is there", |shown| *shown == seen).await;
    for token in 2..12 {
        // One that was never read, one that was, and one of another handle.
        drop(watcher.lock.watch());
        let mut read = watcher.lock.watch();
        let first = read.next().await;
        assert!(matches!(first, Some(Ok(_))), "a watch begins with {first:?}");
        drop(read);
        drop(Writer::of(fixture).await.lock.watch());
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        shown(&mut kept, "a write after another watch was dropped", |shown| *shown == seen).await;
    }
}

/// What was written before is not news, but it is what is there.
pub async fn who_watches_late_is_shown_what_is_there_now(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let watcher = Writer::of(fixture).await;
    for token in 2..8 {
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        shown(&mut watcher.lock.watch(), "what is there", |shown| *shown == seen).await;
    }
}

/// One channel for all leases would wake everybody for everything, or worse.
pub async fn a_watch_of_one_lease_is_not_shown_another(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    if !pushes(&writer) {
        return;
    }
    let mut watch = Writer::of(fixture).await.lock.watch();
    shown(&mut watch, "what is there", |seen| *seen == held).await;
    let other = Writer::over(fixture.other_lock().await);
    let mut others = vec![other.create().await];
    for token in 1..8 {
        let seen = &others[others.len() - 1];
        others.push(other.write(seen, &other.held(seen, token)).await);
    }
    let last = writer.write(&held, &writer.held(&held, 2)).await;
    shown(&mut watch, "a write of its own lease", |seen| {
        assert!(!others.contains(seen), "a watch shows another lease: {seen:?}");
        *seen == last
    })
    .await;
}

/// A store that pushes nothing is asked again and again instead: there is nothing to be shown.
fn pushes(writer: &Writer) -> bool {
    let pushes = writer.lock.guarantees().pushes;
    if !pushes {
        println!("not applicable: the guarantees say that changes are not pushed");
    }
    pushes
}
