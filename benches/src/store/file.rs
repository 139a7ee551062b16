use std::{env, fs, path::Path};

use anyhow::{Context, Result};
use rustix::fs::statfs;
use tempfile::TempDir;

use super::kind::Host;

/// A directory that is made for a run, and goes with it.
#[derive(Debug)]
struct Directory(TempDir);

/// Where `TMPDIR` says, else in memory where there is such a place: leases need not outlive a boot,
/// belong into a directory like `/run`, and are to be measured without what else a disk has to do.
pub(super) fn start() -> Result<Box<dyn Host>> {
    const NAME: &str = "leasehold-bench-";
    const IN_MEMORY: &str = "/dev/shm";
    if env::var_os("TMPDIR").is_none()
        && let Ok(directory) = TempDir::with_prefix_in(NAME, IN_MEMORY)
    {
        return Ok(Box::new(Directory(directory)));
    }
    let directory = TempDir::with_prefix(NAME).context("no directory for the leases")?;
    Ok(Box::new(Directory(directory)))
}

impl Host for Directory {
    /// Each lease has a directory to itself: who watches one is woken by all that happens in it.
    fn url(&self, lease: &str) -> Result<String> {
        let directory = self.0.path().join(lease);
        fs::create_dir_all(&directory)
            .with_context(|| format!("could not make a directory for lease {lease}"))?;
        Ok(format!("file://{}/lease", directory.display()))
    }

    fn describe(&self) -> String {
        let path = self.0.path();
        match file_system(path) {
            Some(name) => format!("file://{} on {name}", path.display()),
            None => format!("file://{}", path.display()),
        }
    }

    fn may_restart(&self) -> Result<(), String> {
        Err("a directory has no server that could be killed".into())
    }
}

fn file_system(directory: &Path) -> Option<String> {
    // By the magic numbers of statfs(2); ext4 shares its number with ext2 and ext3.
    let magic = statfs(directory).ok()?.f_type;
    Some(match magic {
        0xef53 => "ext4".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683e => "btrfs".into(),
        0x2fc1_2fc1 => "zfs".into(),
        0xf2f5_2010 => "f2fs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x794c_7630 => "overlayfs".into(),
        other => format!("file system {other:#x}"),
    })
}
