//! The example `controller`: the caches of all copies are warm, the leader alone reconciles, and nothing is
//! forgotten that changed while nobody led.

mod objects;

use std::{fs, process::Command};

use leasehold::FencingToken;
use leasehold_integration::{Fleet, Replica};
use objects::{Objects, name};
use rustix::process::Signal;

const OBJECTS: usize = 200;
/// How many of them change in each round.
const CHANGES: usize = 20;
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_nobody_led_is_reconciled_by_the_next_leader() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}/lease", directory.path().display());
    reconcile_on(&url, Objects::Directory(directory.path().join("objects"))).await;
}

#[cfg(feature = "kubernetes")]
#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_with_config_maps() {
    use leasehold_testkit::kubernetes::Apiserver;

    let server = tokio::task::block_in_place(Apiserver::shared);
    let objects = Objects::ConfigMaps(objects::config_maps::ConfigMaps::of(server).await);
    reconcile_on(&server.url("controller"), objects).await;
}

async fn reconcile_on(url: &str, objects: Objects) {
    objects.create(OBJECTS, "old").await;
    let fleet = objects.fleet();
    let place = objects.place();
    let start = async || {
        fleet.start_with([url.as_ref(), place.as_os_str(), "warm".as_ref(), "slow".as_ref()]).await
    };
    for number in 0..CHANGES {
        objects.want(number, "first").await;
    }
    let mut copies = [start().await, start().await, start().await];
    let (first, mut token) = fleet.term_after(FencingToken::ZERO).await;
    all_reconciled(&fleet, "first", token).await;
    for copy in &copies {
        fleet.until(copy, "warm").await;
    }
    assert_eq!(first.text, format!("reconciler starts {token} {CHANGES}"));

    for round in 0..ROUNDS {
        let signal = [Signal::KILL, Signal::STOP, Signal::TERM][round % 3];
        let at = leading(&fleet, &copies, token);
        copies[at].signal(signal);
        if signal != Signal::STOP {
            copies[at].ended().await;
        }
        let wanted = format!("round-{round}");
        for number in 0..CHANGES {
            objects.want(number, &wanted).await;
        }
        let (line, next) = fleet.term_after(token).await;
        assert_ne!(line.name, copies[at].name);
        all_reconciled(&fleet, &wanted, next).await;
        if signal == Signal::STOP {
            copies[at].signal(Signal::CONT);
        } else {
            copies[at] = start().await;
            fleet.until(&copies[at], "warm").await;
        }
        token = next;
    }
    for copy in &mut copies {
        copy.signal(Signal::TERM);
        assert!(copy.ended().await.success());
    }
    let last = format!("round-{}", ROUNDS - 1);
    for number in 0..OBJECTS {
        let (made, by) = objects.made(number).await;
        if number < CHANGES {
            assert_eq!((made, by), (last.clone(), token.number()));
        } else {
            assert_eq!(made, "old", "nobody wanted anything of {}", name(number));
        }
    }
    each_by_the_leader(&fleet);
}

/// Waits until the leader of this token has made this of all that changed.
async fn all_reconciled(fleet: &Fleet, wanted: &str, token: FencingToken) {
    for number in 0..CHANGES {
        let text = format!("reconciled {} {wanted} {token}", name(number));
        fleet.line(&text, |line| line.text == text).await;
    }
}

fn leading(fleet: &Fleet, copies: &[Replica], token: FencingToken) -> usize {
    let lines = fleet.lines();
    let starts = lines.iter().find(|line| line.started() == Some(token)).unwrap();
    copies.iter().position(|copy| copy.name == starts.name).unwrap()
}

/// What is said to be reconciled in a term is said by whom it is the term of.
fn each_by_the_leader(fleet: &Fleet) {
    let lines = fleet.lines();
    for line in lines.iter().filter(|line| line.text.starts_with("reconciled ")) {
        let number = line.text.rsplit(' ').next().unwrap().parse().unwrap();
        let token = FencingToken::new(number).unwrap();
        let starts = lines.iter().find(|line| line.started() == Some(token)).unwrap();
        assert_eq!(line.name, starts.name, "{}", line.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nobody_can_read_or_that_are_taken_away_do_not_stop_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("objects");
    let objects = Objects::Directory(path.clone());
    objects.create(1, "old").await;
    fs::write(path.join("bytes.wanted"), [0xff]).unwrap();
    fs::create_dir(path.join("folder.wanted")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("pipe.wanted")).status().unwrap().success());
    let (fleet, url) = (objects.fleet(), format!("file://{}/lease", directory.path().display()));
    let copy = fleet.start_with([url.as_ref(), objects.place().as_os_str(), "warm".as_ref()]).await;
    let (_, token) = fleet.term_after(FencingToken::ZERO).await;
    let reconciled = |wanted: &str| format!("reconciled {} {wanted} {token}", name(0));
    objects.want(0, "new").await;
    let new = reconciled("new");
    let first = fleet.until(&copy, &new).await;

    // What was made is gone: it is made again.
    fs::remove_file(path.join(format!("{}.made.{token}", name(0)))).unwrap();
    fleet.line("it is made again", |line| line.text == new && line.at > first.at).await;

    // Another directory comes in the place of this one.
    fs::rename(&path, directory.path().join("away")).unwrap();
    objects.create(1, "old").await;
    objects.want(0, "newest").await;
    fleet.until(&copy, &reconciled("newest")).await;
}
