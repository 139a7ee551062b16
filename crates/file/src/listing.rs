use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use leasehold_core::RandomPart;
use rustix::{
    fs::{RawDir, SeekFrom, seek},
    io,
};

use crate::names::{Kind, Names};

/// A listing that took longer is thrown away. The cleaner waits at least twice as long before it
/// unlinks, so that what was the newest record when a listing began is still there when it ends:
/// a process that is frozen in the middle of one never misses every record that matters.
pub(crate) const SLOWEST: Duration = Duration::from_millis(500);

/// How much of a directory is read at once: some 500 names.
const AT_ONCE: usize = 32 * 1024;

/// The files of one lease, by their names.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The numbers of the records, ascending.
    pub(crate) records: Vec<u64>,
    /// Those whose life somebody may ask about.
    pub(crate) alive: Vec<RandomPart>,
    /// What is being written, or was when its writer died.
    pub(crate) temporary: Vec<String>,
    /// Records whose number is not believed.
    pub(crate) unbelievable: Vec<String>,
}

impl Listing {
    /// The files of the lease now, or none where it took too long to be believed.
    pub(crate) fn of(directory: &OwnedFd, names: &Names) -> io::Result<Option<Self>> {
        let began = Instant::now();
        let mut listing = Self::default();
        let mut buffer = Vec::with_capacity(AT_ONCE);
        seek(directory, SeekFrom::Start(0))?;
        let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let file = entry.file_name();
            match names.kind(file.to_bytes()) {
                Some(Kind::Record(number)) => listing.records.push(number),
                Some(Kind::Alive(author)) => listing.alive.push(author),
                Some(Kind::Unborn(_) | Kind::Temporary) => {
                    listing.temporary.push(file.to_string_lossy().into_owned());
                }
                Some(Kind::Unbelievable) => {
                    listing.unbelievable.push(file.to_string_lossy().into_owned());
                }
                None => {}
            }
        }
        listing.records.sort_unstable();
        Ok((began.elapsed() < SLOWEST).then_some(listing))
    }

    /// The record that counts. The very first one has a name that is always the same and says
    /// nothing of its version, so that it counts only as long as it is the only one.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.records.last().copied()
    }

    pub(crate) fn has(&self, number: u64) -> bool {
        self.records.binary_search(&number).is_ok()
    }
}
