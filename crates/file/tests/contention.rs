//! Many processes that write one lease at once.

use crate::common::{
    Author,
    process::{Process, given},
};
use leasehold_core::{FencingToken, LeaseLock, Record, Swap};

const PROCESSES: u64 = 4;
const WRITES: u64 = 100;

#[tokio::test]
async fn every_version_is_written_exactly_once_and_no_update_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let author = Author::of(directory.path());
    let absent = author.look().await;
    let first = counting(author.held(&absent), 0);
    let first = author.write(&absent, &first).await.version.number();
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| Process::start("contention::write_many_times", directory.path()))
        .collect();
    let mut written: Vec<u64> = Vec::new();
    for mut process in processes {
        written.extend((0..WRITES).map(|_| process.line("written ").parse::<u64>().unwrap()));
    }
    written.sort_unstable();
    let all: Vec<_> = (first + 1..=first + PROCESSES * WRITES).collect();
    assert_eq!(written, all);
    let last = author.look().await;
    assert_eq!(last.version.number(), first + PROCESSES * WRITES);
    assert_eq!(last.record.unwrap().token.number(), PROCESSES * WRITES);
}

#[tokio::test]
#[ignore = "the part of a writer in a process of its own"]
async fn write_many_times() {
    let author = Author::of(&given());
    let mut written = 0;
    while written < WRITES {
        let seen = author.look().await;
        let count = seen.record.as_ref().map_or(0, |record| record.token.number());
        let record = counting(author.held(&seen), count + 1);
        if let Swap::Written(seen) = author.lock.swap(&seen, &record).await.unwrap() {
            println!("written {}", seen.version.number());
            written += 1;
        }
    }
    // What vouches for this process stays until all have written.
    std::future::pending::<()>().await;
}

/// The record, with the number of writes before it in the place of the token.
fn counting(record: Record, count: u64) -> Record {
    Record { token: FencingToken::new(count).unwrap(), ..record }
}
