use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{Mutex, PoisonError},
};

use leasehold_core::{Error, RandomPart};
use rustix::{
    fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use crate::store::Store;

/// The proofs that electors of this process live: a file for each, locked as long as it is open.
///
/// The system closes it with the process, however that ends. The lock belongs to the open file,
/// not to the process, so that two electors of one process can tell each other's end; it is closed
/// on `exec`, so that a program started by the holder does not seem to be the holder.
#[derive(Debug, Default)]
pub(crate) struct Alive {
    held: Mutex<HashMap<RandomPart, Held>>,
}

#[derive(Debug)]
struct Held {
    inode: u64,
    /// The name that it was made under, until that is unlinked: with the second write, for the first
    /// is what a failover waits for.
    unborn: Option<String>,
    /// Never used, only kept open.
    _locked: OwnedFd,
}

impl Alive {
    /// The inode of the file that stays locked as long as this elector may lead, made on its first
    /// term. None where another lock object vouches for an elector of the same random part: if it
    /// ended, that would seem to be the end of this one.
    pub(crate) fn inode(
        &self,
        store: &Store,
        directory: &OwnedFd,
        author: RandomPart,
    ) -> Result<Option<u64>, Error> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.get_mut(&author) {
            held.forget_unborn(directory);
            return Ok(Some(held.inode));
        }
        let (unborn, name) = (store.names.unborn(author), store.names.alive(author));
        let step = |errno| store.failed(&format!("making {name}"), errno);
        // Open for writing, and probers for reading only: inotify tells the two closes apart.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = match fs::openat(directory, &unborn, flags, Mode::from_raw_mode(0o644)) {
            Ok(file) => file,
            Err(Errno::EXIST) => return Ok(None),
            Err(errno) => return Err(step(errno)),
        };
        // Locked before anybody can see it by the name that is probed.
        let made = fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            .and_then(|()| fs::fstat(&file))
            .and_then(|stat| {
                fs::linkat(directory, &unborn, directory, &name, AtFlags::empty()).map(|()| stat)
            });
        let mut made_under = Held { inode: 0, unborn: Some(unborn), _locked: file };
        match made {
            Ok(stat) => {
                made_under.inode = stat.st_ino;
                held.insert(author, made_under);
                Ok(Some(stat.st_ino))
            }
            Err(errno) => {
                made_under.forget_unborn(directory);
                if errno == Errno::EXIST { Ok(None) } else { Err(step(errno)) }
            }
        }
    }

    /// Unlinks and closes all files. One that the present record names keeps its link: closed, it
    /// proves at once that the holder is gone. The cleaner of a later leader unlinks it.
    pub(crate) fn end(&mut self, store: &Store) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() {
            return;
        }
        let Ok(directory) = store.open() else { return };
        let present = store.look(&directory).ok().and_then(|sight| sight.file?.alive);
        for (author, mut file) in held.drain() {
            file.forget_unborn(&directory);
            if present != Some(file.inode) {
                let _ = fs::unlinkat(&directory, store.names.alive(author), AtFlags::empty());
            }
        }
    }
}

impl Held {
    fn forget_unborn(&mut self, directory: &OwnedFd) {
        if let Some(unborn) = self.unborn.take() {
            // If this fails, the cleaner finds it.
            let _ = fs::unlinkat(directory, unborn, AtFlags::empty());
        }
    }
}

/// Whether the elector that kept this very file locked is gone. Anything but its lock, had, proves
/// nothing: a missing file, another one, no permission.
pub(crate) fn is_gone(directory: &OwnedFd, name: &str, inode: u64) -> bool {
    lockable(directory, name).is_some_and(|found| found == inode)
}

/// Whether somebody may keep this very file locked: no lock outlives its boot, so that whoever holds
/// one is of this boot, whatever he takes for its id.
pub(crate) fn may_be_held(directory: &OwnedFd, name: &str, inode: u64) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => {
            fs::fstat(&file).map_or(true, |stat| stat.st_ino == inode)
                && fs::flock(&file, FlockOperation::NonBlockingLockShared).is_err()
        }
        Err(errno) => errno != Errno::NOENT,
    }
}

/// The inode of a file that nobody keeps locked, if it is such a file.
///
/// The lock that is had is a shared one, so that probers do not see each other, and is released
/// with the file, which is opened for this alone.
pub(crate) fn lockable(directory: &OwnedFd, name: &str) -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(directory, name, flags, Mode::empty()).ok()?;
    let stat = fs::fstat(&file).ok()?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    fs::flock(&file, FlockOperation::NonBlockingLockShared).ok()?;
    regular.then_some(stat.st_ino)
}
