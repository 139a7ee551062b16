use std::{
    collections::{HashMap, HashSet},
    os::fd::OwnedFd,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use leasehold_core::{RandomPart, Record};
use rustix::{
    fs::{self, AtFlags},
    io::Errno,
};

use crate::{alive, listing::Listing, store::Store};

/// The shortest wait, twice as long as a listing may take: see
/// [`SLOWEST`](crate::listing::SLOWEST).
const SHORTEST: Duration = Duration::from_secs(1);

/// How many files are unlinked after one write, so that a swap is never slow because of what others
/// left behind.
const AT_ONCE: usize = 64;

/// Unlinks what nobody needs any more: superseded records, the traces of the dead.
///
/// All ages are counted on this process's own clock, from when it first saw a file to be of no use.
/// A file's own times say nothing: they come from a clock that may be set.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The longest lease duration in a record that was written through this lock or replaced.
    longest: Duration,
    /// Since when each of these files is known to be of no use.
    since: HashMap<String, Instant>,
}

impl Cleaner {
    /// The longest lease duration counts.
    pub(crate) fn saw(&self, record: Option<&Record>) {
        if let Some(record) = record {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.longest = seen.longest.max(record.lease_duration);
        }
    }

    /// Cleans up after a record of this number was written and stands.
    ///
    /// Only what is below it is unlinked, and of that neither its predecessor nor the very first
    /// record: as long as the latter's name is taken, nobody who was frozen since then can take the
    /// lease for a new one. No record is unlinked before all below it are gone, so that one that is
    /// still there proves that its successor's name was never used twice. Whatever is above may be unlinked by its own author yet.
    pub(crate) fn clean(
        &self,
        store: &Store,
        directory: &OwnedFd,
        listing: &Listing,
        number: u64,
        record: &Record,
    ) {
        self.saw(Some(record));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { longest, since } = &mut *seen;
        let useless = useless(store, listing, number, record.stamp.map(|stamp| stamp.author));
        if useless.is_empty() && since.is_empty() {
            return;
        }
        let now = Instant::now();
        let wait = SHORTEST.max(*longest);
        let present: HashSet<_> = useless.iter().map(|(name, _)| name.as_str()).collect();
        since.retain(|name, _| present.contains(name.as_str()));
        let mut left = AT_ONCE;
        let mut oldest_first = true;
        for (name, kind) in &useless {
            let first = *since.entry(name.clone()).or_insert(now);
            let due = now.duration_since(first) >= wait && left > 0;
            match kind {
                Useless::Record if due && oldest_first => {
                    left -= 1;
                    oldest_first = unlinked(store, directory, name);
                }
                Useless::Record => oldest_first = false,
                Useless::Alive if due && alive::lockable(directory, name).is_none() => {
                    // Somebody lives: ask again after as long a time.
                    since.insert(name.clone(), now);
                }
                Useless::Alive | Useless::Temporary if due => {
                    left -= 1;
                    unlinked(store, directory, name);
                }
                Useless::Alive | Useless::Temporary => {}
            }
        }
    }
}

/// Whether it is gone. If not, it does no harm, but newer records have to stay as well.
fn unlinked(store: &Store, directory: &OwnedFd, name: &str) -> bool {
    match fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => true,
        Err(errno) => {
            store.warn(name, 0, &format!("cannot be cleaned up, remove it: {errno}"));
            false
        }
    }
}

/// What a file was good for.
#[derive(Clone, Copy)]
enum Useless {
    Record,
    Alive,
    Temporary,
}

/// The files that nobody needs, the oldest records first.
fn useless(
    store: &Store,
    listing: &Listing,
    number: u64,
    author: Option<RandomPart>,
) -> Vec<(String, Useless)> {
    let below = listing.records.partition_point(|other| *other < number);
    let records = &listing.records[..below.saturating_sub(1)];
    let records = records.iter().filter(|other| **other != 0);
    let alive = listing.alive.iter().filter(|other| Some(**other) != author);
    records
        .map(|number| (store.names.record(*number), Useless::Record))
        .chain(alive.map(|author| (store.names.alive(*author), Useless::Alive)))
        .chain(listing.temporary.iter().map(|name| (name.clone(), Useless::Temporary)))
        .collect()
}
