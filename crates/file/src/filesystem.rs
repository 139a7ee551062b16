use std::path::Path;

use leasehold_core::{Error, ErrorKind};
use rustix::fs::{self, Access, FileType};

use crate::error::failed;

/// Where a second `link` to a name fails on every mount, and a `flock` ends with its process: the
/// local file systems that were looked at, by the type number that `statfs` shows.
const TRUSTED: [(u64, &str); 7] = [
    (0xEF53, "ext2, ext3, ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x2FC1_2FC1, "zfs"),
    (0xF2F5_2010, "f2fs"),
    (0x0102_1994, "tmpfs"),
    (0x794C_7630, "overlayfs"),
];

/// Whether leases can be kept in this directory.
pub(crate) fn check(directory: &Path, forced: bool) -> Result<(), Error> {
    if directory.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_control) {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("keep leases in {directory:?}"),
            "its path has a control character, which would forge lines of a log; use another path",
        ));
    }
    let operation = || format!("keep leases in {}", directory.display());
    let stat = fs::stat(directory).map_err(|errno| {
        // Nothing was there at any time: that is a wrong path, not a store that went away.
        if errno == rustix::io::Errno::NOENT {
            Error::new(
                ErrorKind::Invalid,
                operation(),
                "there is no such directory: create it, owned by those who elect",
            )
            .with_source(std::io::Error::from(errno))
        } else {
            failed(operation(), "looking at it", errno)
        }
    })?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(Error::new(
            ErrorKind::Invalid,
            operation(),
            "it is not a directory: name one, the files of the lease are made in it",
        ));
    }
    let found = fs::statfs(directory)
        .map_err(|errno| failed(operation(), "asking for its file system", errno))?;
    // The field has another type on every architecture, and is negative on some.
    let number = found.f_type as u64 & 0xFFFF_FFFF;
    if !forced && !TRUSTED.iter().any(|(trusted, _)| *trusted == number) {
        let names: Vec<_> = TRUSTED.iter().map(|(_, name)| *name).collect();
        return Err(Error::new(
            ErrorKind::Invalid,
            operation(),
            format!(
                "its file system is of type {number:#x}, and link and flock are known to be what \
                 they seem on {} only: use a directory there, or FileConfig::force_filesystem(true)",
                names.join(", ")
            ),
        ));
    }
    fs::access(directory, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|errno| failed(operation(), "asking for access", errno))
}
