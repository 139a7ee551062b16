//! The report, as a real browser shows it.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod sample;

use std::path::PathBuf;

use clap::Parser as _;
use leasehold_bench::{Browser, Options, Outcome, Page, Surroundings, View, present};
use tempfile::TempDir;

/// A report, shown.
struct Shown {
    browser: Browser,
    page: Page,
    directory: TempDir,
}

const DESKTOP: View = View { width: 1280, height: 800, sharpness: 1.0, dark: false };
const DARK: View = View { dark: true, ..DESKTOP };
/// The narrowest that are in use.
const PHONE: View = View { width: 360, height: 740, sharpness: 2.0, dark: false };

/// Writes the report as a run does.
fn written(outcome: &Outcome) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let report = directory.path().display().to_string();
    let options = Options::try_parse_from(["failover", "--report", &report]).unwrap();
    let around = Surroundings {
        contender: PathBuf::new(),
        floor: PathBuf::new(),
        target: directory.path().into(),
    };
    present(outcome, &options, &around).unwrap();
    let page = directory.path().join("index.html");
    (directory, page)
}

impl Shown {
    async fn of(outcome: &Outcome, view: View) -> Self {
        let (directory, page) = written(outcome);
        let browser = Browser::start().await.unwrap();
        let page = browser.open(&page, view).await.unwrap();
        Self { browser, page, directory }
    }
    async fn end(self) {
        drop(self.page);
        self.browser.close().await.unwrap();
    }
}

#[tokio::test]
async fn look() {
    let shown = Shown::of(&sample::outcome(), DESKTOP).await;
    println!("{:?}", shown.page.heard());
    for (name, view) in [("desktop", DESKTOP), ("dark", DARK), ("phone", PHONE)] {
        shown.page.look(view).await.unwrap();
        std::fs::write(format!("/tmp/shot-{name}.png"), shown.page.picture().await.unwrap())
            .unwrap();
    }
    std::fs::copy(shown.directory.path().join("index.html"), "/tmp/shot.html").unwrap();
    std::fs::copy(shown.directory.path().join("failover.csv"), "/tmp/shot.csv").unwrap();
    shown.end().await;
}
