//! What the tests have in common: an author that writes records, and the directory it writes to.

pub(crate) mod process;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use leasehold_core::{
    Era, FencingToken, LeaseLock, LeaseName, Observation, RandomPart, Record, Stamp, Swap, Tenure,
};
use leasehold_file::FileLock;

/// Short, so that the cleaner waits for no longer than it always does.
pub(crate) const LEASE: Duration = Duration::from_millis(100);

/// One elector's lock, and its random part.
pub(crate) struct Author {
    pub(crate) lock: FileLock,
    pub(crate) part: RandomPart,
    attempts: AtomicU64,
}

impl Author {
    pub(crate) fn of(directory: &Path) -> Self {
        let lock = FileLock::open(directory, LeaseName::new("jobs").unwrap()).unwrap();
        Self { lock, part: RandomPart::random(), attempts: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, seen: &Observation, tenure: Tenure) -> Record {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        Record {
            era: seen.era.clone(),
            token: FencingToken::new(7).unwrap(),
            lease_duration: LEASE,
            stamp: Some(Stamp { author: self.part, attempt }),
            tenure,
        }
    }

    pub(crate) fn held(&self, seen: &Observation) -> Record {
        self.record(seen, Tenure::Held { holder: "pod-a".into() })
    }

    pub(crate) async fn look(&self) -> Observation {
        self.lock.observe().await.unwrap()
    }

    pub(crate) async fn write(&self, expected: &Observation, record: &Record) -> Observation {
        match self.lock.swap(expected, record).await.unwrap() {
            Swap::Written(seen) => seen,
            Swap::Refused(there) => panic!("refused over {expected:?}: there is {there:?}"),
        }
    }

    pub(crate) async fn refused(&self, expected: &Observation, record: &Record) -> Observation {
        match self.lock.swap(expected, record).await.unwrap() {
            Swap::Refused(there) => there.expect("a look that does not fail"),
            Swap::Written(seen) => panic!("written over {expected:?}: {seen:?}"),
        }
    }

    /// Holds the lease, whatever is there.
    pub(crate) async fn hold(&self) -> Observation {
        let seen = self.look().await;
        self.write(&seen, &self.held(&seen)).await
    }
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn file(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("jobs.{number}"))
}

/// Writes a record file as this library does, without it.
pub(crate) fn put(directory: &Path, number: u64, version: u64, record: &Record) {
    put_alive(directory, number, version, record, None);
}

/// The same, by a holder that keeps the file of this inode locked.
pub(crate) fn put_alive(
    directory: &Path,
    number: u64,
    version: u64,
    record: &Record,
    alive: Option<u64>,
) {
    let alive = alive.map_or("null".to_owned(), |inode| inode.to_string());
    let record = record.to_json();
    let line = format!(r#"{{"record":{record},"version":{version},"alive":{alive}}}"#) + "\n";
    fs::write(file(directory, number), line).unwrap();
}

pub(crate) fn this_boot() -> Era {
    Era::new(fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim())
}

pub(crate) fn another_boot() -> Era {
    Era::new("00000000-0000-4000-8000-000000000000")
}
