//! Directories that cannot keep a lease, refused before one is relied upon.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::common::{Author, names};
use leasehold_core::{ErrorKind, LeaseLock, LeaseName};
use leasehold_file::{FileConfig, FileLock};

/// Set in a child that has mounts of its own, to the directory that it may mount over.
const MOUNTS: &str = "LEASEHOLD_FILE_TEST_MOUNTS";

fn name() -> LeaseName {
    LeaseName::new("jobs").unwrap()
}

#[test]
fn an_untrusted_file_system_is_refused_by_its_number_and_can_be_forced() {
    let error = FileLock::open("/proc", name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let said = error.to_string();
    assert!(said.contains("0x9fa0") && said.contains("/proc"), "{said}");
    assert!(said.contains("force_filesystem") && said.contains("ext4"), "{said}");
    // Forced, the next check has its say: nobody may make files there.
    let forced = FileConfig::new("/proc", name()).force_filesystem(true).open();
    assert!(forced.is_ok_and(|lock| lock.describe().ends_with("in /proc")) || !is_root());
}

#[test]
fn a_directory_that_is_not_there_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = FileLock::open(directory.path().join("nowhere"), name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert!(error.to_string().contains("create it"), "{error}");
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = FileLock::open(&file, name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("not a directory"), "{error}");
}

#[test]
fn a_name_that_is_too_long_for_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let long = LeaseName::new("x".repeat(181)).unwrap();
    let error = FileLock::open(directory.path(), long).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("181 bytes"), "{error}");
}

#[tokio::test]
async fn a_directory_that_goes_away_is_an_error_and_no_absence() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("leases");
    fs::create_dir(&directory).unwrap();
    let author = Author::of(&directory);
    let seen = author.hold().await;
    fs::rename(&directory, parent.path().join("moved")).unwrap();
    assert_eq!(author.lock.observe().await.unwrap_err().kind(), ErrorKind::Unreachable);
    let swap = author.lock.swap(&seen, &author.held(&seen)).await;
    assert_eq!(swap.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[test]
fn a_directory_that_cannot_be_written_is_denied() {
    if is_root() {
        // No permission stops root: a read-only mount does.
        in_own_mounts("filesystem::a_read_only_mount_is_denied");
    } else {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o555)).unwrap();
        let error = FileLock::open(directory.path(), name()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("let this user"), "{error}");
    }
}

#[test]
#[ignore = "mounts a small file system, which root may: cargo test -- --ignored a_disk_that_fills_up"]
fn a_disk_that_fills_up_is_denied() {
    in_own_mounts("filesystem::a_full_mount_is_denied");
}

#[test]
#[ignore = "run by a_directory_that_cannot_be_written_is_denied, in a process with own mounts"]
fn a_read_only_mount_is_denied() {
    let directory = env::var(MOUNTS).unwrap();
    mount(&["-t", "tmpfs", "-o", "ro", "leases", &directory]);
    let error = FileLock::open(&directory, name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("writable"), "{error}");
}

#[tokio::test]
#[ignore = "run by a_disk_that_fills_up_is_denied, in a process with own mounts"]
async fn a_full_mount_is_denied() {
    let directory = env::var(MOUNTS).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=16k", "leases", &directory]);
    let directory = Path::new(&directory);
    let author = Author::of(directory);
    let seen = author.hold().await;
    // The second write tidies up what the first put off.
    let seen = author.write(&seen, &author.held(&seen)).await;
    fs::write(directory.join("rest"), vec![0; 16 * 1024]).unwrap_err();
    let before = names(directory);
    let error = author.lock.swap(&seen, &author.held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("free space"), "{error}");
    assert_eq!(names(directory), before, "a failed write leaves something behind");
    assert_eq!(author.look().await, seen);
    fs::remove_file(directory.join("rest")).unwrap();
    author.write(&seen, &author.held(&seen)).await;
}

/// Runs one of the tests of this file in a process whose mounts nobody else sees.
fn in_own_mounts(test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let done = Command::new("unshare")
        .args(["--mount", "--"])
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env(MOUNTS, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

fn mount(arguments: &[&str]) {
    let done = Command::new("mount").args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
