//! The store's atomic step. Everything that a review of its safety must read is here and in
//! [`listing`](crate::listing).

use std::{
    os::fd::OwnedFd,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use leasehold_core::{Error, ErrorKind, Observation, Record, Swap, Tenure, Version};
use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::{self, Errno},
};

use crate::{
    alive::Alive,
    cleaner::Cleaner,
    content::Content,
    listing::Listing,
    store::{Identity, RecordFile, Sight, Store},
};

/// Who writes records: the store, the proofs that their authors live, and what is cleaned up.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Arc<Store>,
    pub(crate) alive: Alive,
    pub(crate) cleaner: Cleaner,
}

/// What the directory says about a link that was made.
enum Verdict {
    /// What it was to replace is still there, so that it replaced that and nothing else. There may
    /// be something newer already, built upon it.
    Stands,
    /// What it was to replace is gone, and there is something newer. It stays where it is until it
    /// is cleaned up: others may have built upon it.
    Superseded,
    /// What it was to replace is gone or another, and there is nothing newer.
    Unfounded,
    /// What it was to replace is always there, and there is something newer: built upon it, or upon
    /// another of the same name that has been cleaned up.
    Unknown,
}

/// Unlinks a file when it is dropped.
struct Temporary<'a> {
    directory: &'a OwnedFd,
    name: String,
}

impl Writer {
    /// Replaces exactly the expected observation.
    ///
    /// 1. Look. If that is not what is expected, refuse. (This only saves work: it is the check
    ///    after the link that decides.)
    /// 2. Write a file under a temporary name, and `link` it to the one name that the successor of
    ///    the expected version bears. Of several that do so, the system lets one.
    /// 3. Look again, since who was frozen before the link may have linked a name that was in use
    ///    long ago and has been cleaned up since: then what it was to replace has gone before it.
    ///
    /// The newest record is never unlinked, nor the one that it replaced, and older ones only by
    /// one who has just written a newer one that stands, a lease duration after they were seen to
    /// be superseded, and oldest first, none before those below it are gone. So if what was to be
    /// replaced is still there, no other link of the same name ever was. Only the very first record
    /// is kept for ever: who replaces that one, and finds something newer, does not know.
    pub(crate) fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let store = &*self.store;
        let directory = &store.open()?;
        let before = store.look(directory)?;
        let seen = &before.observation;
        let as_expected = seen.era == expected.era
            && seen.version == expected.version
            && seen.record.is_some() == expected.record.is_some();
        if !as_expected {
            return Ok(Swap::Refused(Some(store.with_proof(directory, before).observation)));
        }
        self.cleaner.saw(seen.record.as_ref());
        let (number, version) = self.next(&before)?;
        let alive = match (&record.tenure, record.stamp) {
            (Tenure::Held { .. }, Some(stamp)) => {
                self.alive.inode(store, directory, stamp.author)?
            }
            _ => None,
        };
        let sync = is_first_of_boot(&before, store);
        let content = Content { record: record.clone(), version, alive };
        let (temporary, identity) = self.write(directory, &content, sync)?;

        let name = store.names.record(number);
        match fs::linkat(directory, &temporary.name, directory, &name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(self.refused(directory)),
            Err(errno) => return Err(self.failed(&format!("linking {name}"), errno)),
        }
        // From here on the record is in the store, and whatever fails means unknown.
        let (verdict, listing) = self.judge(directory, before.file, number, version)?;
        match verdict {
            Verdict::Stands => {}
            Verdict::Superseded => return Ok(self.refused(directory)),
            Verdict::Unfounded => {
                self.take_back(directory, &name, identity)?;
                return Ok(self.refused(directory));
            }
            Verdict::Unknown => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!("write {}", store.title),
                    format!("others had written already when {name} was linked: observe"),
                ));
            }
        }
        if sync {
            fs::fsync(directory).map_err(|errno| self.failed("syncing the directory", errno))?;
        }
        drop(temporary);
        self.cleaner.clean(store, directory, &listing, number, record);
        Ok(Swap::Written(store.shown(number, identity, Ok(content)).0))
    }

    /// The number in the name of the next record, and its version.
    fn next(&self, before: &Sight) -> Result<(u64, u64), Error> {
        let Some(file) = before.file else {
            // Above every version that this lease ever had, even if all its files were deleted.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
            return Ok((0, now.clamp(1, Version::MAX)));
        };
        let version = before.observation.version.number();
        if version >= Version::MAX {
            return Err(Error::new(
                ErrorKind::Unexpected,
                format!("write {}", self.store.title),
                format!(
                    "{} leaves no version above it, the greatest is 2^62: stop all candidates, \
                     delete that file, and start them again",
                    self.store.names.record(file.number)
                ),
            ));
        }
        Ok((version + 1, version + 1))
    }

    /// A file with this content, under a name that nobody else uses.
    fn write<'a>(
        &self,
        directory: &'a OwnedFd,
        content: &Content,
        sync: bool,
    ) -> Result<(Temporary<'a>, Identity), Error> {
        let line = content.to_line().map_err(|why| {
            let operation = format!("write {}", self.store.title);
            Error::new(ErrorKind::Invalid, operation, format!("{:?}: {why}", content.record))
        })?;
        let name = self.store.names.temporary();
        let step = |errno| self.failed(&format!("writing {name}"), errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = fs::openat(directory, &name, flags, Mode::from_raw_mode(0o644)).map_err(step)?;
        let temporary = Temporary { directory, name: name.clone() };
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match io::write(&file, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(step(errno)),
            }
        }
        if sync {
            fs::fsync(&file).map_err(step)?;
        }
        let stat = fs::fstat(&file).map_err(step)?;
        Ok((temporary, Identity::of(&stat)))
    }

    /// Whether the link of this number stands, now that it is made.
    fn judge(
        &self,
        directory: &OwnedFd,
        replaced: Option<RecordFile>,
        number: u64,
        version: u64,
    ) -> Result<(Verdict, Listing), Error> {
        let Some(replaced) = replaced else {
            let listing = self.store.list(directory)?;
            // What is above this version was built upon it: no other line can have reached it.
            let mut others = listing.records.iter().filter(|other| **other != number);
            let verdict = match (others.all(|other| *other > version), listing.has(number)) {
                (true, true) => Verdict::Stands,
                // Deleted by somebody already.
                (true, false) => Verdict::Superseded,
                (false, _) => Verdict::Unfounded,
            };
            return Ok((verdict, listing));
        };
        let unchanged = self.identity(directory, replaced.number)? == Some(replaced.identity);
        let listing = self.store.list(directory)?;
        let mut later = listing.records.iter().filter(|other| **other > replaced.number);
        let later = later.any(|other| *other != number);
        let verdict = match (unchanged && listing.has(replaced.number), later) {
            (true, true) if replaced.number == 0 => Verdict::Unknown,
            (true, true) => Verdict::Stands,
            (true, false) if listing.has(number) => Verdict::Stands,
            // Deleted by somebody already.
            (true, false) => Verdict::Superseded,
            (false, true) => Verdict::Superseded,
            (false, false) => Verdict::Unfounded,
        };
        Ok((verdict, listing))
    }

    /// Unlinks a record of one's own, if it is still that.
    fn take_back(&self, directory: &OwnedFd, name: &str, identity: Identity) -> Result<(), Error> {
        let step = |errno| self.failed(&format!("unlinking {name}"), errno);
        match fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if Identity::of(&stat) == identity => {}
            Ok(_) | Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(step(errno)),
        }
        match fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(step(errno)),
        }
    }

    /// A refusal, with what is there instead, if that can be seen.
    fn refused(&self, directory: &OwnedFd) -> Swap {
        let sight = self.store.look(directory);
        Swap::Refused(sight.ok().map(|sight| self.store.with_proof(directory, sight).observation))
    }

    fn identity(&self, directory: &OwnedFd, number: u64) -> Result<Option<Identity>, Error> {
        let name = self.store.names.record(number);
        match fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Identity::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed(&format!("looking at {name}"), errno)),
        }
    }

    fn failed(&self, step: &str, errno: Errno) -> Error {
        self.store.failed(step, errno)
    }
}

/// Whether the next link must reach the disk before it is answered: the first of a boot, so that
/// the versions of the boot after it begin above this one's, and the one after that, whose
/// predecessor's author may have died before it had synced it.
fn is_first_of_boot(before: &Sight, store: &Store) -> bool {
    match (before.file, &before.observation.record) {
        (Some(file), Some(record)) => {
            let readable_here =
                record.era == store.era && before.observation.version.number() == file.number;
            !readable_here || !before.listing.has(file.number - 1)
        }
        _ => true,
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // If this fails, the cleaner finds it.
        let _ = fs::unlinkat(self.directory, &self.name, AtFlags::empty());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.alive.end(&self.store);
    }
}
