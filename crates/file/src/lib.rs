//! Leader election between the processes of one host: the lease is a few files in a directory, and
//! no server is needed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use leasehold_core::{LeaseLock, LeaseName, create_free};
//! use leasehold_file::FileLock;
//!
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let lock = FileLock::open(directory, LeaseName::new("jobs")?)?;
//! create_free(&lock).await?;
//! assert!(lock.observe().await?.record.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! A record is a file that never changes, `jobs.<version>`, and the one with the highest number is
//! the lease. To replace version 17, a candidate writes a file under a temporary name and calls
//! `link(2)` to give it the name `jobs.18`. If that name is in use, the system refuses, and so does
//! the swap. There is nothing to lock, and nobody to wait for who is frozen inside.
//!
//! Why not `rename`: it replaces whatever has the name, also what somebody wrote a moment ago. With
//! a lock around it, whoever is frozen while it holds that lock stops the election; if the lock is
//! broken to go on, the frozen one wakes and overwrites. `link` is the one call that every local
//! file system does for one of several at most.
//!
//! * **The name of the very first record is always `jobs.0`**, so that of all who find nothing one
//!   is first. Its version, the wall clock in nanoseconds, is written in it, so that versions go on
//!   growing if somebody deletes the files. It counts only as long as it is the only record, and it
//!   is never unlinked, so that nobody who was frozen before the beginning can begin anew.
//! * **After its link a writer looks again.** Superseded records are cleaned up, a lease duration
//!   after they were seen to be superseded, and oldest first; so who was frozen for longer than
//!   that may get a name that was in use before. Then the record that it was to replace is gone,
//!   and it is refused.
//! * **Death is proven.** An elector keeps a file locked (`flock`) while its lock object lives, and
//!   its records name the file's inode. The system closes it with the process, which wakes all
//!   standbys (inotify), and whoever then gets a shared lock on that very inode knows that the
//!   holder is gone. It proves the death of the process, not of processes that it started: work
//!   that lives on in a child without the descriptor lives on unseen.
//! * **A reboot is a death of all.** A record of another boot (`/proc/sys/kernel/random/boot_id`)
//!   is shown with a version 2^32 higher: the last names of that boot may never have reached the
//!   disk. For the same reason the first writes of a boot are synced, and no others.
//! * **What cannot be read is vacant**: torn, foreign, a pipe, a link, a directory. It is waited
//!   out, never taken at once, with one warning that names the file.
//!
//! # What it asks for
//!
//! Linux, `/proc`, and a local file system (ext2 to ext4, xfs, btrfs, zfs, f2fs, tmpfs, overlayfs;
//! others are refused unless [forced](FileConfig::force_filesystem)). Containers of one host can
//! share the directory, if it is the same mount for all; several hosts cannot, not even over a network
//! file system. It is no place that is swept, like `/tmp`: a cleaner that knows nothing of leases
//! deletes what proves that a holder lives. To delete a
//! lease, stop its candidates and delete all its files at once: what is left of them counts.

#[cfg(not(target_os = "linux"))]
compile_error!("leasehold-file needs Linux: inotify, flock by open file, and the boot's id");

mod alive;
mod cleaner;
mod config;
mod content;
mod error;
mod filesystem;
mod inotify;
mod listing;
mod lock;
mod names;
mod record;
mod store;
mod watch;

pub use config::FileConfig;
pub use lock::FileLock;
