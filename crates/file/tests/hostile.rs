//! What others put where our files are expected: never blocked on, never followed, never given away.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    time::Duration,
};

use crate::common::{Author, LEASE, file, names, put, this_boot};
use leasehold_core::{ErrorKind, LeaseLock, Observation, Record, Tenure, Version};
use rustix::fs::{CWD, FileType, Mode, mknodat};

const NUMBER: u64 = 1000;

/// The lease as it is shown, within a time in which nothing blocks.
async fn look(directory: &Path) -> Observation {
    let author = Author::of(directory);
    tokio::time::timeout(Duration::from_secs(10), author.look()).await.expect("a read that blocks")
}

/// Shown as vacant, and replaced by an exact swap: otherwise the lease would be lost for ever.
async fn is_vacant_and_replaced(directory: &Path, what: &str) {
    let seen = look(directory).await;
    assert_eq!(seen.record, Some(Record::unreadable(this_boot())), "{what}");
    assert!(!seen.holder_gone, "{what} is shown as proof");
    assert_eq!(seen.version.number(), NUMBER + (1 << 32), "{what}");
    let author = Author::of(directory);
    let written = author.write(&seen, &author.held(&seen)).await;
    assert_eq!(author.look().await, written, "{what}");
    author.refused(&seen, &author.held(&seen)).await;
}

fn free() -> Record {
    Record { lease_duration: LEASE, ..Record::free(this_boot()) }
}

#[tokio::test]
async fn bytes_that_are_no_record_are_vacant() {
    let whole = format!(r#"{{"record":{},"version":{NUMBER},"alive":null}}"#, free().to_json());
    let torn = &whole[..whole.len() / 2];
    let deep = "[".repeat(1 << 12);
    let deep_inside = format!(r#"{{"record":{},"version":{NUMBER}}}"#, "[".repeat(1 << 11));
    let huge = " ".repeat(1 << 20) + &whole;
    let other_version = whole.replace("1000", "1001");
    let negative = whole.replace("1000", "-1000");
    let of_wrong_type = whole.replace("null", "\"17\"");
    let without_record = format!(r#"{{"version":{NUMBER},"alive":null}}"#);
    let twice = format!("{whole}\n{whole}");
    let absurd_token = whole.replace("\"token\":0", "\"token\":99999999999999999999");
    for bytes in [
        "",
        "\n",
        "\0\0\0\0",
        torn,
        &deep,
        &deep_inside,
        &huge,
        &other_version,
        &negative,
        &of_wrong_type,
        &without_record,
        &twice,
        &absurd_token,
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(file(directory.path(), NUMBER), bytes).unwrap();
        is_vacant_and_replaced(directory.path(), &bytes[..bytes.len().min(60)]).await;
    }
}

#[tokio::test]
async fn what_is_no_regular_file_is_vacant_and_is_neither_followed_nor_waited_for() {
    let elsewhere = tempfile::tempdir().unwrap();
    put(elsewhere.path(), NUMBER, NUMBER, &free());
    let target = file(elsewhere.path(), NUMBER);
    type Make<'a> = &'a dyn Fn(&Path);
    let kinds: [(&str, Make<'_>); 6] = [
        ("a pipe", &|path| {
            mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        }),
        ("a link to a free record", &|path| symlink(&target, path).unwrap()),
        ("a link to nothing", &|path| symlink("nowhere", path).unwrap()),
        ("a link to itself", &|path| symlink(path, path).unwrap()),
        ("a directory", &|path| fs::create_dir(path).unwrap()),
        ("a socket", &|path| drop(UnixListener::bind(path).unwrap())),
    ];
    for (what, make) in kinds {
        let directory = tempfile::tempdir().unwrap();
        make(&file(directory.path(), NUMBER));
        is_vacant_and_replaced(directory.path(), what).await;
    }
}

#[tokio::test]
async fn names_that_we_would_not_write_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let author = Author::of(directory.path());
    put(directory.path(), NUMBER, NUMBER, &author.held(&author.look().await));
    for name in ["jobs.00002000", "jobs.+2000", "jobs.2000.bak", "jobs.", "jobs", "jobs.x.2000"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    for name in ["jobs.4611686018427387905", "jobs.18446744073709551616"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let seen = author.look().await;
    assert_eq!(seen.version.number(), NUMBER);
    assert_eq!(author.write(&seen, &author.held(&seen)).await.version.number(), NUMBER + 1);
}

#[tokio::test]
async fn the_greatest_number_that_is_believed_leaves_no_room_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let author = Author::of(directory.path());
    let held = author.held(&author.look().await);
    put(directory.path(), Version::MAX, Version::MAX, &held);
    let seen = author.look().await;
    assert_eq!((seen.version.number(), &seen.record), (Version::MAX, &Some(held)));
    let error = author.lock.swap(&seen, &author.held(&seen)).await.unwrap_err();
    assert!(error.to_string().contains("jobs.4611686018427387904"), "{error}");
}

#[tokio::test]
async fn a_newer_format_is_an_error_that_names_the_file_and_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let newer = r#"{"record":{"leasehold":2,"whose":"?"},"version":1000,"alive":null,"new":1}"#;
    fs::write(file(directory.path(), NUMBER), newer).unwrap();
    let author = Author::of(directory.path());
    let error = author.lock.observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NewerFormat);
    assert!(error.to_string().contains("jobs.1000"), "{error}");
    assert!(error.to_string().contains("format 2"), "{error}");
    let absent = Observation::absent(this_boot(), Version::ABSENT);
    author.lock.swap(&absent, &author.held(&absent)).await.unwrap_err();
    assert_eq!(names(directory.path()), ["jobs.1000"]);
}

#[tokio::test]
async fn an_unreadable_first_record_is_numbered_by_its_time_and_replaced_once() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (Author::of(directory.path()), Author::of(directory.path()));
    let first = one.hold().await;
    fs::write(file(directory.path(), 0), "torn").unwrap();
    let seen = one.look().await;
    assert_eq!(seen.record, Some(Record::unreadable(this_boot())));
    assert!(seen.version.number() > first.version.number());
    assert_eq!(other.look().await, seen);
    let written = one.write(&seen, &one.held(&seen)).await;
    assert_eq!(other.refused(&seen, &other.held(&seen)).await, written);
}

#[tokio::test]
async fn a_foreign_file_in_the_place_of_the_proof_of_life_proves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (holder, other) = (Author::of(directory.path()), Author::of(directory.path()));
    holder.hold().await;
    let alive = directory.path().join(format!("jobs.{}.alive", holder.part));
    fs::remove_file(&alive).unwrap();
    assert!(!other.look().await.holder_gone, "a missing file is taken for a proof");
    fs::write(&alive, "").unwrap();
    assert!(!other.look().await.holder_gone, "another file is taken for a proof");
    fs::remove_file(&alive).unwrap();
    mknodat(CWD, &alive, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    assert!(!other.look().await.holder_gone, "a pipe is taken for a proof");
}

#[tokio::test]
async fn a_record_that_its_readers_would_not_believe_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let author = Author::of(directory.path());
    let absent = author.look().await;
    let nameless = author.record(&absent, Tenure::Held { holder: "".into() });
    let unstamped = Record { stamp: None, ..author.held(&absent) };
    for record in [nameless, unstamped] {
        let error = author.lock.swap(&absent, &record).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    drop(author);
    assert_eq!(names(directory.path()), [] as [&str; 0], "something is left behind");
}
