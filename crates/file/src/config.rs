use std::path::{Path, PathBuf};

use leasehold_core::{Error, LeaseName};

use crate::FileLock;

/// Where a lease is kept, and how.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{LeaseLock, LeaseName};
/// use leasehold_file::FileConfig;
///
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let lock = FileConfig::new(directory, LeaseName::new("jobs")?).open()?;
/// assert!(lock.describe().starts_with("file lease \"jobs\" in /"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is opened"]
pub struct FileConfig {
    pub(crate) directory: PathBuf,
    pub(crate) name: LeaseName,
    pub(crate) force_filesystem: bool,
}

impl FileConfig {
    /// A lease in a directory that exists. All candidates name the same directory, which may hold
    /// any number of leases; it should hold nothing else, for it is listed on every read.
    pub fn new(directory: impl AsRef<Path>, name: LeaseName) -> Self {
        Self { directory: directory.as_ref().to_owned(), name, force_filesystem: false }
    }

    /// Whether to use the directory although its file system is not one of those that are known to
    /// work (ext2, ext3, ext4, xfs, btrfs, zfs, f2fs, tmpfs, overlayfs). False unless set.
    ///
    /// A file system does if a `link` to a name that is in use fails, for all processes; if its
    /// listing of a directory is never older than the last completed `link`; and if `flock` is held
    /// exactly as long as its file is open. A network file system that several hosts mount does
    /// **not**, whatever it says: a host takes every record of another host for one of a boot that
    /// is over, and with it for one of a dead holder.
    pub const fn force_filesystem(mut self, force: bool) -> Self {
        self.force_filesystem = force;
        self
    }

    /// The lock on the lease.
    ///
    /// # Errors
    /// As [`FileLock::open`].
    pub fn open(self) -> Result<FileLock, Error> {
        FileLock::with_config(self)
    }
}
