//! The harness itself, measured against contenders that misbehave on purpose.
mod peers;

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use leasehold_bench::{Fault, Options, Outcome, Row, Surroundings, measure, present};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn surroundings(directory: &Path) -> Surroundings {
    Surroundings {
        contender: env!("CARGO_BIN_EXE_fake").into(),
        floor: env!("CARGO_BIN_EXE_floor").into(),
        target: directory.into(),
    }
}

/// All that a file lock can stand: it does not lapse, so there is no freeze.
const FAULTS: &str = "resign,step-down,crash";

/// Measures fakes of some behaviour.
async fn run(
    behaviour: &str,
    faults: &str,
    rounds: &str,
    interrupt: CancellationToken,
) -> Result<(Outcome, Options, TempDir)> {
    let directory = TempDir::new()?;
    let url = format!("fake:{behaviour}:{}/{{}}", directory.path().display());
    let report = directory.path().join("report").display().to_string();
    let options = [
        "failover",
        "--bench",
        "--no-floor",
        "--url",
        &url,
        "--report",
        &report,
        "--seed",
        "7",
        "--timing",
        "200ms/100ms/20ms",
        "--faults",
        faults,
        "--rounds",
        rounds,
    ];
    let options = Options::try_parse_from(options)?;
    let outcome = measure(&options, &surroundings(directory.path()), interrupt).await?;
    Ok((outcome, options, directory))
}

/// The first one, each that follows a fault, and whoever comes while all of them end.
fn in_terms<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let (terms, rounds) =
        rows.fold((0, 0), |(terms, rounds), row| (terms + row.terms(), rounds + row.failover.n()));
    assert!(terms > rounds, "{terms} terms of {rounds} rounds");
    format!("in {terms} terms")
}

fn is_failure(code: ExitCode) -> bool {
    // Nothing else can be learnt of an exit code.
    format!("{code:?}") != format!("{:?}", ExitCode::SUCCESS)
}

#[tokio::test]
async fn contenders_that_behave_are_measured_and_nothing_is_found_against_them() {
    let (outcome, options, directory) =
        run("good", FAULTS, "4", CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.violations(), Vec::<String>::new());
    for (row, fault) in outcome.rows.iter().zip([Fault::Resign, Fault::StepDown, Fault::Crash]) {
        assert_eq!((row.fault, row.failover.n(), row.excess.n()), (fault, 4, 4));
        assert!(row.failover.samples()[0] > 0);
        assert!(row.failover.max().unwrap() < 1_000_000_000, "{:?}", row.failover);
        assert_eq!(row.unplanned, 0);
    }
    let code = present(&outcome, &options, &surroundings(directory.path())).unwrap();
    assert!(!is_failure(code));
    let page = std::fs::read_to_string(directory.path().join("report/index.html")).unwrap();
    let terms = in_terms(outcome.ours());
    for part in ["<svg", "never", &terms, "prefers-color-scheme: dark", "step-down"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs no network");
    let json = std::fs::read_to_string(directory.path().join("report/failover.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"][0]["failover"]["samples"].as_array().unwrap().len(), 4);
    assert_eq!(json["settings"]["seed"], 7);
}

#[tokio::test]
async fn a_planted_overlap_is_found_and_makes_the_run_fail() {
    let (outcome, options, directory) =
        run("overlap", "resign", "2", CancellationToken::new()).await.unwrap();
    assert!(outcome.rows[0].overlaps.len() >= 2, "{:?}", outcome.rows[0].overlaps);
    assert!(outcome.rows[0].worst_overlap() > 10_000_000);
    assert!(
        outcome.violations()[0].contains("OVERLAP: fake: resign"),
        "{:?}",
        outcome.violations()
    );
    assert!(is_failure(present(&outcome, &options, &surroundings(directory.path())).unwrap()));
    let page = std::fs::read_to_string(directory.path().join("report/index.html")).unwrap();
    assert!(page.contains("class=\"overlap\" d=\"M"), "it is drawn");
}

#[tokio::test]
async fn what_contenders_complained_of_is_told_where_no_successor_came() {
    let (outcome, ..) = run("full", "crash", "1", CancellationToken::new()).await.unwrap();
    let [violation] = &outcome.violations()[..] else { panic!("{outcome:?}") };
    for part in ["crash: no successor within", "no line was odd", "No space left on device"] {
        assert!(violation.contains(part), "{part}: {violation}");
    }
}

#[tokio::test]
async fn a_token_that_does_not_grow_makes_the_run_fail() {
    let (outcome, ..) = run("stale", "crash", "3", CancellationToken::new()).await.unwrap();
    assert!(
        outcome.violations().iter().any(|violation| violation.starts_with("TOKEN: fake: crash"))
    );
    assert!(is_failure(outcome.exit_code()));
}

#[tokio::test]
async fn lines_that_make_no_sense_harm_nothing_and_are_told_of() {
    let (outcome, ..) = run("hostile", "step-down", "2", CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.violations(), Vec::<String>::new());
    assert_eq!(outcome.rows[0].failover.n(), 2);
    assert!(outcome.rows[0].odd_lines.iter().any(|line| line.contains("CLOCK_MONOTONIC")));
}

#[tokio::test]
async fn ours_that_die_at_start_are_a_trouble_of_each_row_and_leave_an_earlier_report_as_it_was() {
    let (outcome, options, directory) =
        run("dies", FAULTS, "4", CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.rows.len(), 3, "every fault has a row: {:?}", outcome.rows);
    for (row, violation) in outcome.rows.iter().zip(outcome.violations()) {
        assert_eq!((row.failover.n(), row.planned), (0, 4));
        for part in ["TROUBLE: fake: ", "ended by itself", "exit status: 3", "closed on Sundays"] {
            assert!(violation.contains(part), "{part}: {violation}");
        }
        assert_eq!(violation.matches(": lease ").count(), 1, "{violation}");
        assert!(!violation.contains(" of lease "), "{violation}");
    }
    let page = directory.path().join("report/index.html");
    std::fs::write(&page, "an earlier run's").unwrap();
    let code = present(&outcome, &options, &surroundings(directory.path())).unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)), "it could not begin");
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "an earlier run's");
    let files = std::fs::read_dir(directory.path().join("report")).unwrap();
    assert_eq!(files.count(), 1, "and nothing is beside it");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_that_names_it() {
    let directory = TempDir::new().unwrap();
    let options =
        ["failover", "--stores", "file", "--program", "/no/such/program", "--rounds", "1"];
    let options = Options::try_parse_from(options).unwrap();
    let around = surroundings(directory.path());
    let error = measure(&options, &around, CancellationToken::new()).await.unwrap_err();
    assert!(format!("{error:#}").contains("could not start /no/such/program"), "{error:#}");
}

#[tokio::test]
async fn what_cannot_be_kept_or_contradicts_itself_is_refused_before_anything_starts() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "somebody's").unwrap();
    let (file, missing) = (file.display().to_string(), format!("{}/no/x.json", file.display()));
    let lease = directory.path().join("lease");
    // It would leave a file, and be no error: see above.
    let url = format!("fake:dies:{}", lease.display());
    for (more, why) in [
        (["--report", &file], "could not make the report's directory"),
        (["--json", &missing], "could not write"),
        (["--peers", "none,client-go"], "none, or client-go?"),
    ] {
        let options = ["failover", "--url", &url, "--rounds", "1", "--timing", "200ms/100ms/20ms"];
        let options = Options::try_parse_from(options.iter().chain(&more)).unwrap();
        let around = surroundings(directory.path());
        let error = measure(&options, &around, CancellationToken::new()).await.unwrap_err();
        assert!(format!("{error:#}").contains(why), "{more:?}: {error:#}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's");
}

#[tokio::test]
async fn an_interruption_keeps_what_was_measured() {
    let interrupt = CancellationToken::new();
    let later = interrupt.clone();
    tokio::spawn(async move {
        // No event to await: a run reports no round before it ends. Each fault has had one by then.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        later.cancel();
    });
    let (outcome, options, directory) = run("good", FAULTS, "100000", interrupt).await.unwrap();
    assert!(outcome.interrupted);
    assert!(outcome.rows.iter().all(|row| row.failover.n() > 0), "{outcome:?}");
    present(&outcome, &options, &surroundings(directory.path())).unwrap();
    let page = std::fs::read_to_string(directory.path().join("report/index.html")).unwrap();
    assert!(page.contains("interrupted: what was measured until then"));
}

#[tokio::test]
async fn an_interruption_before_the_first_round_is_an_outcome_too() {
    let interrupt = CancellationToken::new();
    interrupt.cancel();
    let (outcome, options, directory) = run("mute", FAULTS, "1", interrupt).await.unwrap();
    assert!(outcome.interrupted);
    present(&outcome, &options, &surroundings(directory.path())).unwrap();
}
