//! Many at once: every step is atomic.

use std::{collections::HashSet, future::Future, sync::Arc};

use futures::future::join_all;
use leasehold_core::{Record, Swap};
use tokio::sync::Barrier;

use crate::conformance::{fixture::Fixture, writer::Writer};

const WRITERS: usize = 6;
const ROUNDS: u64 = 25;

/// The one sentence that everything else rests on.
pub async fn of_two_swaps_over_one_observation_exactly_one_is_written(fixture: &dyn Fixture) {
    let (first, mut seen) = Writer::holding(fixture).await;
    let mut writers = Writer::several(fixture, WRITERS).await;
    writers.push(first);
    let writers = shared(writers);
    for token in 2..ROUNDS + 2 {
        let swaps = at_once(&writers, |writer| {
            let seen = seen.clone();
            async move {
                let record = writer.held(&seen, token);
                (writer.swap(&seen, &record).await, record)
            }
        });
        let mut written = Vec::new();
        for (swap, record) in swaps.await {
            if let Swap::Written(seen) = swap {
                assert_eq!(seen.record, Some(record), "a writer is shown another's record as its");
                written.push(seen);
            }
        }
        assert_eq!(written.len(), 1, "of {} swaps were written: {written:?}", writers.len());
        seen = written.swap_remove(0);
        assert_eq!(writers[0].look().await, seen, "what is there is not what was written");
    }
}

/// Where nothing is, as well: two first leaders are two leaders.
pub async fn of_many_creations_exactly_one_is_written(fixture: &dyn Fixture) {
    let writers = shared(Writer::several(fixture, WRITERS).await);
    for round in 0..ROUNDS / 2 {
        let absent = writers[0].look().await;
        assert_eq!(absent.record, None, "round {round} does not begin with nothing");
        let swaps = at_once(&writers, |writer| async move {
            // Each looks for itself, as candidates do.
            let absent = writer.look().await;
            match absent.record {
                Some(_) => None,
                None => match writer.swap(&absent, &writer.vacant(&absent, round)).await {
                    Swap::Written(seen) => Some(seen),
                    Swap::Refused(_) => None,
                },
            }
        });
        let written: Vec<_> = swaps.await.into_iter().flatten().collect();
        assert_eq!(written.len(), 1, "creations were written: {written:?}");
        assert_eq!(writers[0].look().await, written[0], "there is not what was written");
        fixture.delete().await;
    }
}

/// Each adds one to what it read. Were one update lost, the sum would be too small.
pub async fn many_writers_lose_no_update(fixture: &dyn Fixture) {
    let (first, _) = Writer::holding(fixture).await;
    let mut writers = Writer::several(fixture, WRITERS - 1).await;
    writers.push(first);
    let writers = shared(writers);
    let each = 8;
    let runs = at_once(&writers, |writer| async move {
        let mut versions = Vec::new();
        while versions.len() < each {
            let seen = writer.look().await;
            let token = seen.record.as_ref().map_or(0, |record| record.token.number());
            if let Swap::Written(seen) = writer.swap(&seen, &writer.held(&seen, token + 1)).await {
                versions.push(seen.version.number());
            }
        }
        versions
    });
    let versions: Vec<u64> = runs.await.into_iter().flatten().collect();
    let unique: HashSet<_> = versions.iter().collect();
    assert_eq!(unique.len(), versions.len(), "two writes have one version: {versions:?}");
    let last = writers[0].look().await;
    let sum = last.record.map(|record| record.token.number());
    assert_eq!(sum, Some(1 + versions.len() as u64), "updates were lost");
    assert_eq!(versions.iter().max(), Some(&last.version.number()), "the last is not the greatest");
}

/// The record, its version and its holder are of one write, and reads do not go back in time.
pub async fn an_observation_amid_writes_is_never_torn(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let readers = shared(Writer::several(fixture, 2).await);
    let last = ROUNDS * 2;
    let write = async {
        let mut written = vec![seen.clone()];
        for token in 2..=last {
            let record = writer.held_by(&format!("pod-{token}"), &seen, token);
            seen = writer.write(&seen, &record).await;
            written.push(seen.clone());
        }
        written
    };
    let read = at_once(&readers, |reader| async move {
        let mut read = Vec::new();
        loop {
            let seen = reader.look().await;
            let token = seen.record.as_ref().map_or(0, |record| record.token.number());
            if read.last() != Some(&seen) {
                read.push(seen);
            }
            if token == last {
                return read;
            }
            // In memory a look never waits: let the writer have its turn.
            tokio::task::yield_now().await;
        }
    });
    let (written, reads) = futures::future::join(write, read).await;
    for read in reads {
        for pair in read.windows(2) {
            let (old, new) = (pair[0].version.number(), pair[1].version.number());
            assert!(old < new, "a read went back from {old} to {new}");
        }
        for seen in read {
            let holder = seen.record.as_ref().and_then(Record::holder);
            assert!(written.contains(&seen), "{holder:?} was never there like this: {seen:?}");
        }
    }
}

fn shared(writers: Vec<Writer>) -> Vec<Arc<Writer>> {
    writers.into_iter().map(Arc::new).collect()
}

/// Lets all do the same, each in a task of its own, all from one moment on.
async fn at_once<T, F>(writers: &[Arc<Writer>], act: impl Fn(Arc<Writer>) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(writers.len()));
    let tasks: Vec<_> = writers
        .iter()
        .map(|writer| {
            let (start, act) = (start.clone(), act(writer.clone()));
            tokio::spawn(async move {
                start.wait().await;
                act.await
            })
        })
        .collect();
    join_all(tasks).await.into_iter().map(|done| done.expect("what a writer does")).collect()
}
