//! What another boot of the host left behind.

use std::{fs, os::unix::fs::MetadataExt};

use crate::common::{Author, LEASE, another_boot, file, names, put, put_alive, this_boot};
use leasehold_core::{FencingToken, LeaseLock, RandomPart, Record, Stamp, Tenure, Version};

const BOOT: u64 = 1 << 32;

fn of_another_boot(tenure: Tenure) -> Record {
    Record {
        era: another_boot(),
        token: FencingToken::new(41).unwrap(),
        lease_duration: LEASE,
        stamp: Some(Stamp { author: RandomPart::new(9), attempt: 3 }),
        tenure,
    }
}

fn held() -> Tenure {
    Tenure::Held { holder: "pod-z".into() }
}

#[tokio::test]
async fn a_holder_of_another_boot_is_gone_and_its_version_is_moved_up() {
    let directory = tempfile::tempdir().unwrap();
    put_alive(directory.path(), 1000, 1000, &of_another_boot(held()), Some(7));
    let seen = Author::of(directory.path()).look().await;
    assert!(seen.holder_gone);
    assert_eq!(seen.era, this_boot());
    assert_eq!(seen.record, Some(of_another_boot(held())));
    assert_eq!(seen.version.number(), 1000 + BOOT);
}

/// A container may be given a boot id of its own: its holder seems to be of another boot, and lives.
#[tokio::test]
async fn a_holder_that_only_seems_to_be_of_another_boot_is_not_gone_while_its_file_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("jobs.{}.alive", RandomPart::new(9)));
    let alive = fs::File::create(&path).unwrap();
    alive.lock().unwrap();
    let inode = alive.metadata().unwrap().ino();
    put_alive(directory.path(), 1000, 1000, &of_another_boot(held()), Some(inode));
    let author = Author::of(directory.path());
    assert!(!author.look().await.holder_gone, "it lives");
    drop(alive);
    assert!(author.look().await.holder_gone, "nobody keeps it locked any more");
}

#[tokio::test]
async fn what_nobody_released_in_another_boot_is_waited_out() {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), 1000, 1000, &of_another_boot(Tenure::Vacant));
    assert!(!Author::of(directory.path()).look().await.holder_gone);
}

#[tokio::test]
async fn a_record_of_another_boot_is_replaced_once_and_by_the_next_version() {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), 1000, 1000, &of_another_boot(Tenure::Free));
    let (one, other) = (Author::of(directory.path()), Author::of(directory.path()));
    let seen = one.look().await;
    let written = one.write(&seen, &one.held(&seen)).await;
    assert_eq!(written.version.number(), 1000 + BOOT + 1);
    assert!(!written.holder_gone);
    assert_eq!(other.refused(&seen, &other.held(&seen)).await, written);
    assert!(file(directory.path(), 1000 + BOOT + 1).exists());
}

#[tokio::test]
async fn the_very_first_record_of_another_boot_is_moved_up_from_the_version_in_it() {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), 0, 5000, &of_another_boot(Tenure::Free));
    let author = Author::of(directory.path());
    let seen = author.look().await;
    assert_eq!(seen.version.number(), 5000 + BOOT);
    let written = author.write(&seen, &author.held(&seen)).await;
    assert_eq!(written.version.number(), 5000 + BOOT + 1);
}

#[tokio::test]
async fn a_file_that_was_torn_by_a_power_cut_proves_nothing_and_is_moved_up() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(file(directory.path(), 1000), "").unwrap();
    let author = Author::of(directory.path());
    let seen = author.look().await;
    assert!(!seen.holder_gone);
    assert_eq!(seen.record, Some(Record::unreadable(this_boot())));
    assert_eq!(seen.version.number(), 1000 + BOOT);
    let written = author.write(&seen, &author.held(&seen)).await;
    assert_eq!(written.version.number(), 1000 + BOOT + 1);
}

#[tokio::test]
async fn versions_end_with_an_error_that_names_the_file_to_delete() {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), Version::MAX - 5, Version::MAX - 5, &of_another_boot(held()));
    let author = Author::of(directory.path());
    let seen = author.look().await;
    assert_eq!(seen.version.number(), Version::MAX);
    let error = author.lock.swap(&seen, &author.held(&seen)).await.unwrap_err();
    assert!(error.to_string().contains(&format!("jobs.{}", Version::MAX - 5)), "{error}");
    assert!(error.to_string().contains("delete"), "{error}");
    assert_eq!(names(directory.path()), [format!("jobs.{}", Version::MAX - 5)]);
}
