//! Processes that are stopped inside a swap, and wake when the world has moved on.

use std::{
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::common::{
    Author, file, names,
    process::{Process, given, told},
};
use leasehold_core::{LeaseLock, Swap};
use rustix::{
    fs::inotify::{self, CreateFlags, Reader, WatchFlags},
    io::Errno,
};

/// How often a process is stopped until it is caught at the wanted place.
const ATTEMPTS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_frozen_before_its_link_is_not_told_that_it_wrote_though_that_name_is_free_again() {
    frozen_before_its_link(2).await;
}

/// The very first record is never cleaned up: that it is still there proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_frozen_before_it_replaces_the_very_first_record_is_not_told_that_it_wrote() {
    frozen_before_its_link(1).await;
}

async fn frozen_before_its_link(records: usize) {
    for _ in 0..ATTEMPTS {
        let directory = tempfile::tempdir().unwrap();
        let author = Author::of(directory.path());
        for _ in 1..records {
            author.hold().await;
        }
        let seen = author.hold().await;
        let target = file(directory.path(), seen.version.number() + 1);
        let created = watch(directory.path());
        let mut sleeper = Process::start("frozen::swap_when_told", directory.path());
        sleeper.line("ready");
        sleeper.tell("swap");
        await_name(&created, |name| name.ends_with(".tmp"));
        sleeper.freeze();
        if target.exists() {
            continue;
        }
        // It has looked and found what it expects. Others take that name, and it is cleaned up.
        let until = Instant::now() + Duration::from_secs(60);
        let mut newest = author.hold().await;
        assert!(target.exists());
        // A link of its temporary file, so that it is not taken for a dead writer's for good.
        let temporary = temporary(directory.path());
        let kept = directory.path().join("kept");
        std::fs::hard_link(&temporary, &kept).unwrap();
        while target.exists() {
            assert!(Instant::now() < until, "never cleaned up: {:?}", names(directory.path()));
            newest = author.hold().await;
        }
        if !temporary.exists() {
            std::fs::rename(&kept, &temporary).unwrap();
        }
        sleeper.thaw();
        let answer = sleeper.line("answer ");
        assert_ne!(answer, "written", "an ancient link is taken for a new one");
        assert_eq!(author.look().await, newest);
        author.write(&newest, &author.held(&newest)).await;
        return;
    }
    panic!("never caught before its link in {ATTEMPTS} attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_frozen_after_its_link_has_written_though_others_have_built_upon_it() {
    let directory = tempfile::tempdir().unwrap();
    // What comes after the link is a listing: let it take long enough to be caught in.
    for other in 0..5_000 {
        std::fs::write(directory.path().join(format!("other-{other}")), "").unwrap();
    }
    let author = Author::of(directory.path());
    author.hold().await;
    author.hold().await;
    let created = watch(directory.path());
    let mut sleeper = Process::start("frozen::swap_when_told", directory.path());
    sleeper.line("ready");
    for _ in 0..ATTEMPTS {
        let seen = author.hold().await;
        let target = format!("jobs.{}", seen.version.number() + 1);
        discard(&created);
        sleeper.tell("swap");
        await_name(&created, |name| name == target);
        sleeper.freeze();
        let inside = names(directory.path()).iter().any(|name| name.ends_with(".tmp"));
        // Whatever it knows, its record is in the store, and replaced by others.
        let theirs = author.look().await;
        assert_eq!(theirs.version.number(), seen.version.number() + 1);
        assert!(!theirs.holder_gone, "a frozen process is taken for a dead one");
        let newest = author.write(&theirs, &author.held(&theirs)).await;
        sleeper.thaw();
        assert_eq!(sleeper.line("answer "), "written");
        assert_eq!(author.look().await, newest);
        if inside {
            return;
        }
    }
    panic!("never caught after its link in {ATTEMPTS} attempts");
}

#[tokio::test]
async fn an_ancient_expectation_is_refused_though_the_files_around_it_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let (author, sleeper) = (Author::of(directory.path()), Author::of(directory.path()));
    let absent = sleeper.look().await;
    let first = author.hold().await;
    let second = author.hold().await;
    let until = Instant::now() + Duration::from_secs(60);
    let mut newest = author.hold().await;
    while file(directory.path(), second.version.number()).exists() {
        assert!(Instant::now() < until, "never cleaned up: {:?}", names(directory.path()));
        newest = author.hold().await;
    }
    assert!(file(directory.path(), 0).exists(), "the name of the very first record is free again");
    for ancient in [&absent, &first, &second] {
        assert_eq!(sleeper.refused(ancient, &sleeper.held(ancient)).await, newest);
    }
}

#[tokio::test]
async fn what_is_superseded_is_cleaned_up_and_the_newest_two_and_the_first_stay() {
    let directory = tempfile::tempdir().unwrap();
    let author = Author::of(directory.path());
    let dead = Author::of(directory.path());
    dead.hold().await;
    let alive = format!("jobs.{}.alive", dead.part);
    drop(dead);
    let temporary = ".jobs.0123456789abcdef.tmp".to_owned();
    std::fs::write(directory.path().join(&temporary), "").unwrap();
    let superseded = format!("jobs.{}", author.hold().await.version.number());
    author.hold().await;
    let useless = [temporary, superseded, alive];
    assert!(useless.iter().all(|name| names(directory.path()).contains(name)));
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let newest = author.hold().await.version.number();
        let mut expected = vec![
            "jobs.0".to_owned(),
            format!("jobs.{}", newest - 1),
            format!("jobs.{newest}"),
            format!("jobs.{}.alive", author.part),
        ];
        expected.sort();
        let left = names(directory.path());
        assert!(expected.iter().all(|name| left.contains(name)), "{expected:?} of {left:?}");
        if useless.iter().all(|name| !left.contains(name)) {
            return;
        }
        assert!(Instant::now() < until, "never cleaned up: {useless:?}");
    }
}

#[tokio::test]
#[ignore = "the part of a sleeper in a process of its own"]
async fn swap_when_told() {
    let author = Author::of(&given());
    println!("ready");
    while told() == "swap" {
        let seen = author.look().await;
        match author.lock.swap(&seen, &author.held(&seen)).await {
            Ok(Swap::Written(_)) => println!("answer written"),
            Ok(Swap::Refused(_)) => println!("answer refused"),
            Err(_) => println!("answer unknown"),
        }
    }
}

fn watch(directory: &Path) -> OwnedFd {
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&inotify, directory, WatchFlags::CREATE).unwrap();
    inotify
}

/// Spins: a process that is awaited asleep has gone on for long when one wakes.
fn await_name(inotify: &OwnedFd, wanted: impl Fn(&str) -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    loop {
        match reader.next() {
            Ok(event) => {
                let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
                if name.is_some_and(|name| wanted(&name)) {
                    return;
                }
            }
            Err(Errno::AGAIN) => assert!(Instant::now() < until, "no such file was made"),
            Err(errno) => panic!("{errno}"),
        }
    }
}

fn temporary(directory: &Path) -> PathBuf {
    let temporary = names(directory).into_iter().find(|name| name.ends_with(".tmp"));
    directory.join(temporary.expect("a temporary file"))
}

fn discard(inotify: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    while reader.next().is_ok() {}
}
