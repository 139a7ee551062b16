//! Peers that do what they want, beside fakes that behave.

use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use leasehold_bench::{Fault, Options, Outcome, measure, present};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{in_terms, is_failure, run, surroundings};

/// Beside fakes that behave, peers that do what they want: a program of its own, as any peer is.
async fn beside(peer: &str, faults: &str) -> (Outcome, Options, TempDir) {
    let directory = TempDir::new().unwrap();
    let url = format!("fake:good:{}/{{}}", directory.path().display());
    let (program, other) = (directory.path().join("program"), directory.path().join("missing"));
    std::fs::write(&program, peer.replace("FAKE", env!("CARGO_BIN_EXE_fake"))).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let peers = format!("wild={},gone={}", program.display(), other.display());
    let options = ["failover", "--no-floor", "--url", &url, "--peers", &peers, "--faults", faults];
    let more = ["--rounds", "3", "--peer-rounds", "2", "--timing", "200ms/100ms/20ms"];
    let options = Options::try_parse_from(options.iter().chain(&more)).unwrap();
    let around = surroundings(directory.path());
    let outcome = measure(&options, &around, CancellationToken::new()).await.unwrap();
    (outcome, options, directory)
}

/// Its URL says `good`; it is a fake of another kind, without tokens.
fn a_peer_that(behaviour: &str) -> String {
    format!(
        r#"#!/bin/sh
url=$(echo "$2" | sed s/good/{behaviour}/); shift 2
exec FAKE --url "$url" "$@"
"#
    )
}

#[tokio::test]
async fn a_peers_overlaps_and_tokens_are_its_own_and_are_shown() {
    let (outcome, options, directory) = beside(&a_peer_that("overlap"), "resign,crash").await;
    assert_eq!(outcome.violations(), Vec::<String>::new());
    let rows: Vec<_> = outcome.rows.iter().map(|row| (row.fault, row.program.as_str())).collect();
    let expected = [
        (Fault::Resign, "leasehold"),
        (Fault::Resign, "wild"),
        (Fault::Crash, "leasehold"),
        (Fault::Crash, "wild"),
    ];
    assert_eq!(rows, expected);
    assert!(outcome.ours().all(|row| row.failover.n() == 3 && row.overlaps.is_empty()));
    assert!(outcome.peers().all(|row| row.failover.n() == 2 && row.goal.is_none()));
    let (resigned, crashed) = (&outcome.rows[1], &outcome.rows[3]);
    assert!(resigned.overlaps.len() >= 2 && crashed.overlaps.len() < resigned.overlaps.len());
    assert_eq!(outcome.warnings.len(), 1, "{:?}", outcome.warnings);
    assert!(outcome.warnings[0].contains("no gone: ") && outcome.warnings[0].contains("missing"));
    let code = present(&outcome, &options, &surroundings(directory.path())).unwrap();
    assert!(!is_failure(code));
    let page = std::fs::read_to_string(directory.path().join("failover/index.html")).unwrap();
    for part in [
        &in_terms(outcome.ours()),
        &in_terms(outcome.peers()),
        "<b>wild</b>,</span> <span class=\"bad\">✗ two at work at once",
        "overlaps are its own",
        "wild on fake: failover of 2 rounds",
        "wild on fake, resign: nobody at work for",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_peer_without_tokens_is_measured_and_one_of_ours_without_is_not_believed() {
    let (outcome, ..) = beside(&a_peer_that("tokenless"), "step-down").await;
    let [ours, peer] = &outcome.rows[..] else { panic!("{outcome:?}") };
    assert_eq!((ours.failover.n(), peer.failover.n()), (3, 2));
    assert!(peer.odd_lines.is_empty() && peer.troubles.is_empty(), "{peer:?}");

    let (ours, ..) = run("tokenless", "resign", "1", CancellationToken::new()).await.unwrap();
    let [violation] = &ours.violations()[..] else { panic!("{ours:?}") };
    assert!(violation.contains("a leader that tells no token"), "{violation}");
}

#[tokio::test]
async fn a_peer_that_cannot_be_built_is_left_out_with_the_reason_and_one_that_nobody_meets_is_refused()
 {
    let directory = TempDir::new().unwrap();
    let url = format!("fake:good:{}/{{}}", directory.path().display());
    let around = surroundings(directory.path());
    // An empty folder is no Go module, whether there is a Go or not.
    let folder = TempDir::new().unwrap();
    // And a package that does not compile is none.
    let package = folder.path().join("package");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(package.join("Cargo.toml"), "[package]").unwrap();
    let peers = format!("go={},rust={}", folder.path().display(), package.display());
    let options = ["failover", "--no-floor", "--url", &url, "--peers", &peers];
    let more = ["--faults", "step-down", "--rounds", "1", "--timing", "200ms/100ms/20ms"];
    let options = Options::try_parse_from(options.iter().chain(&more)).unwrap();
    let outcome = measure(&options, &around, CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.ours().count(), 1);
    let [why, why_not] = &outcome.warnings[..] else { panic!("{:?}", outcome.warnings) };
    assert!(why.starts_with("fake: no go: ") && why.contains("`go"), "{why}");
    assert!(why_not.starts_with("fake: no rust: `cargo build` in"), "{why_not}");
    assert!(why_not.contains("Cargo.toml"), "{why_not}");

    let options = ["failover", "--url", &url, "--peers", "etcd-recipe"];
    let options = Options::try_parse_from(options).unwrap();
    let error = measure(&options, &around, CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("no peer on any store"), "{error}");
}

#[tokio::test]
async fn a_peer_that_cannot_campaign_is_named_with_the_reason_and_ours_are_measured() {
    let (outcome, options, directory) = beside(&a_peer_that("dies"), "resign").await;
    assert_eq!(outcome.rows[0].failover.n(), 3);
    assert_eq!(outcome.rows[1].failover.n(), 0);
    assert!(outcome.rows[1].troubles[0].contains("closed on Sundays"), "{:?}", outcome.rows[1]);
    let code = present(&outcome, &options, &surroundings(directory.path())).unwrap();
    assert!(!is_failure(code));
    let report = directory.path().join("failover");
    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    let page = page.replace("&#x2f;", "/");
    for part in [
        "200ms/100ms/20ms: 3 of each fault to ours, 2 of each to a peer<br>",
        "<dt>◆ leasehold</dt><dd>lease/deadline/retry as they are</dd>",
        ">200 ms / 100 ms / 20 ms</td>",
        ">0 of 2</td>",
        "closed on Sundays",
        "<b>wild</b>,</span> never led</li>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let csv = std::fs::read_to_string(report.join("failover.csv")).unwrap();
    assert!(csv.contains(",n,planned,") && csv.contains(",0,2,"), "{csv}");
}
