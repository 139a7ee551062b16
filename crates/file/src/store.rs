use std::{
    collections::HashSet,
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use leasehold_core::{
    Era, Error, ErrorKind, Observation, Record, Tenure, Version, wire::Unreadable,
};
use rustix::{
    fs::{self, AtFlags, CWD, FileType, Mode, OFlags, Stat},
    io::{self, Errno},
};
use tokio::sync::Semaphore;

use crate::{
    alive,
    content::{Content, LONGEST},
    error::failed,
    listing::Listing,
    names::Names,
};

/// What a record that is not known to be of this boot is moved up by: more than what a boot can
/// have written after the last name that reached the disk.
pub(crate) const BOOT: u64 = 1 << 32;

/// How often the directory is read again because the newest file vanished under the reader, or the
/// listing took too long. Each time means that somebody wrote a record or more meanwhile.
const PATIENCE: usize = 32;

/// How many threads of the runtime one lease may use at a time: for a call, for the watch, and for
/// the next call after one that has timed out. A disk that hangs must not take all that there are.
const THREADS: usize = 3;

/// How many unreadable files are remembered, so that each is warned of once.
const WARNINGS: usize = 1024;

/// Where one lease is, and how it is read.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) directory: PathBuf,
    pub(crate) names: Names,
    pub(crate) era: Era,
    /// As in `file lease "jobs" in /var/lib/x`.
    pub(crate) title: String,
    /// For as many threads as this lease may have wait for a disk that hangs.
    pub(crate) threads: Arc<Semaphore>,
    warned: Mutex<HashSet<(String, u64)>>,
}

/// What a file is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    pub(crate) inode: u64,
}

/// A record file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordFile {
    /// The number in its name.
    pub(crate) number: u64,
    pub(crate) identity: Identity,
    /// The inode of the file that its author keeps locked.
    pub(crate) alive: Option<u64>,
}

/// What was seen in one look at the directory.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) observation: Observation,
    /// The file that the observation is of, if there is one.
    pub(crate) file: Option<RecordFile>,
    pub(crate) listing: Listing,
}

impl Store {
    pub(crate) fn new(directory: PathBuf, names: Names, era: Era, title: String) -> Self {
        let threads = Arc::new(Semaphore::new(THREADS));
        Self { directory, names, era, title, threads, warned: Mutex::default() }
    }

    /// The directory, by its path each time: a directory that is put in the place of another is
    /// the one that everybody uses from then on.
    pub(crate) fn open(&self) -> Result<OwnedFd, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::openat(CWD, &self.directory, flags, Mode::empty())
            .map_err(|errno| self.failed("opening the directory", errno))
    }

    /// What the lease is now, and whether its holder is proven to be gone.
    pub(crate) fn observe(&self) -> Result<Sight, Error> {
        let directory = self.open()?;
        let sight = self.look(&directory)?;
        Ok(self.with_proof(&directory, sight))
    }

    /// What the lease is now.
    pub(crate) fn look(&self, directory: &OwnedFd) -> Result<Sight, Error> {
        for _ in 0..PATIENCE {
            let listing = self.list(directory)?;
            let Some(number) = listing.newest() else {
                let observation = Observation::absent(self.era.clone(), Version::ABSENT);
                return Ok(Sight { observation, file: None, listing });
            };
            if let Some((observation, file)) = self.read(directory, number)? {
                return Ok(Sight { observation, file: Some(file), listing });
            }
        }
        Err(Error::new(
            ErrorKind::Unexpected,
            format!("read {}", self.title),
            format!(
                "the newest file was gone before it was opened, {PATIENCE} times in a row: \
                 see who deletes files in the directory"
            ),
        ))
    }

    /// The same, and whether the holder is proven to be gone, as far as that is asked for.
    pub(crate) fn with_proof(&self, directory: &OwnedFd, mut sight: Sight) -> Sight {
        if let (Some(RecordFile { alive: Some(inode), .. }), Some(record)) =
            (sight.file, &sight.observation.record)
            && matches!(record.tenure, Tenure::Held { .. })
            && let Some(stamp) = record.stamp
        {
            let name = self.names.alive(stamp.author);
            sight.observation.holder_gone = if record.era == self.era {
                alive::is_gone(directory, &name, inode)
            } else {
                !alive::may_be_held(directory, &name, inode)
            };
        }
        sight
    }

    pub(crate) fn list(&self, directory: &OwnedFd) -> Result<Listing, Error> {
        for _ in 0..PATIENCE {
            let listing = Listing::of(directory, &self.names)
                .map_err(|errno| self.failed("listing the directory", errno))?;
            if let Some(listing) = listing {
                for name in &listing.unbelievable {
                    self.warn(name, 0, "its number is above 2^62, and leaves no room to grow");
                }
                return Ok(listing);
            }
        }
        Err(Error::new(
            ErrorKind::Timeout,
            format!("read {}", self.title),
            format!(
                "listing the directory took above {:?}, {PATIENCE} times in a row: keep nothing \
                 but leases in it, or a faster disk under it",
                crate::listing::SLOWEST
            ),
        ))
    }

    /// The record of this number, or none where there is no such file any more.
    fn read(
        &self,
        directory: &OwnedFd,
        number: u64,
    ) -> Result<Option<(Observation, RecordFile)>, Error> {
        let name = self.names.record(number);
        let (stat, content) = match contents(directory, &name) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.failed(&format!("reading {name}"), errno)),
        };
        let identity = Identity::of(&stat);
        let content = match content
            .map_err(Unreadable::Foreign)
            .and_then(|bytes| Content::from_bytes(&bytes, number))
        {
            Ok(content) => Ok(content),
            Err(newer @ Unreadable::Newer(_)) => {
                return Err(Error::new(
                    ErrorKind::NewerFormat,
                    format!("read {}", self.title),
                    format!("{name} is {newer}"),
                ));
            }
            Err(Unreadable::Foreign(why)) => {
                self.warn(&name, identity.inode, &why);
                Err(written_at(&stat))
            }
        };
        Ok(Some(self.shown(number, identity, content)))
    }

    /// How a record file is shown: by what is in it, or where that is unreadable, by when it was
    /// written, which is asked for only where the name tells no version.
    pub(crate) fn shown(
        &self,
        number: u64,
        identity: Identity,
        content: Result<Content, u64>,
    ) -> (Observation, RecordFile) {
        let base = match &content {
            _ if number != 0 => number,
            Ok(content) => content.version,
            Err(written_at) => *written_at,
        };
        let readable = content.is_ok();
        let (record, alive) = match content {
            Ok(content) => (content.record, content.alive),
            Err(_) => (Record::unreadable(self.era.clone()), None),
        };
        let of_this_boot = readable && record.era == self.era;
        // Of a boot that is over, the last names may never have reached the disk.
        let version = if of_this_boot { base } else { base.saturating_add(BOOT).min(Version::MAX) };
        let version = Version::new(version)
            .unwrap_or(Version::ABSENT)
            .with_witness(format!("{number}@{:x}:{}", identity.device, identity.inode));
        let mut observation = Observation::of(self.era.clone(), version, record);
        // No process of another boot lives. But what seems to be of another boot may be of a
        // container that was given a boot id of its own: so a holder is looked for (`with_proof`),
        // and what nobody has released is waited out.
        observation.holder_gone = readable
            && !of_this_boot
            && observation.record.as_ref().is_some_and(|record| record.tenure == Tenure::Free);
        (observation, RecordFile { number, identity, alive })
    }

    pub(crate) fn failed(&self, step: &str, errno: Errno) -> Error {
        failed(format!("use {}", self.title), step, errno)
    }

    pub(crate) fn warn(&self, name: &str, inode: u64, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= WARNINGS {
            warned.clear();
        }
        if warned.insert((name.to_owned(), inode)) {
            let directory = self.directory.display();
            tracing::warn!(%directory, file = name, reason = why, "a file that should not be there");
        }
    }
}

impl Identity {
    pub(crate) fn of(stat: &Stat) -> Self {
        #[allow(clippy::unnecessary_cast, reason = "the fields' types differ by architecture")]
        Self { device: stat.st_dev as u64, inode: stat.st_ino as u64 }
    }
}

/// What a file is, and the bytes in it or why they are not read. Never blocks on what is there, a
/// pipe or a device, and follows no link.
fn contents(directory: &OwnedFd, name: &str) -> io::Result<(Stat, Result<Vec<u8>, String>)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        // What a symbolic link, a socket, or a device without driver answer.
        Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => {
            let stat = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
            return Ok((stat, Err("it is no regular file".to_owned())));
        }
        Err(errno) => return Err(errno),
    };
    let stat = fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok((stat, Err("it is no regular file".to_owned())));
    }
    let mut bytes = vec![0; LONGEST + 1];
    let mut length = 0;
    while length < bytes.len() {
        match io::read(&file, &mut bytes[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        // The size saves the last read of nothing, the usual case.
        if length as u64 == stat.st_size.unsigned_abs() {
            break;
        }
    }
    bytes.truncate(length);
    Ok((stat, Ok(bytes)))
}

/// When a file was last written, in nanoseconds: what an unreadable first record is numbered by,
/// which has no number in its name. Never compared with a clock.
fn written_at(stat: &Stat) -> u64 {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    #[allow(clippy::unnecessary_cast, reason = "the field's type differs by architecture")]
    let nanos = stat.st_mtime_nsec as u64;
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos).min(Version::MAX)
}
