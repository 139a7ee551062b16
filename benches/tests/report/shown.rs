use std::path::PathBuf;

use clap::Parser as _;
use leasehold_bench::{Browser, Options, Outcome, Page, Surroundings, View, present};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DESKTOP: View = View { width: 1280, height: 800, sharpness: 1.0, dark: false };
pub(crate) const DARK: View = View { dark: true, ..DESKTOP };
/// The narrowest that is in use.
pub(crate) const PHONE: View = View { width: 360, height: 740, sharpness: 2.0, dark: false };

/// A report in a browser.
pub(crate) struct Shown {
    browser: Browser,
    pub(crate) page: Page,
    _directory: TempDir,
}

/// Writes a report as a run does, and says where it is.
pub(crate) fn written(outcome: &Outcome) -> TempDir {
    let directory = TempDir::new().unwrap();
    let report = directory.path().display().to_string();
    let options = Options::try_parse_from(["failover", "--report", &report]).unwrap();
    let around = Surroundings {
        contender: PathBuf::new(),
        floor: PathBuf::new(),
        target: directory.path().into(),
    };
    present(outcome, &options, &around).unwrap();
    directory
}

impl Shown {
    pub(crate) async fn of(outcome: &Outcome, view: View) -> Self {
        let directory = written(outcome);
        let browser = Browser::start().await.unwrap_or_else(|error| panic!("{error:#}"));
        let page = browser.open(&directory.path().join("index.html"), view).await.unwrap();
        Self { browser, page, _directory: directory }
    }

    /// Closes it. It must not have complained, nor asked for anything but itself.
    pub(crate) async fn end(self) {
        // The page has said all it has to say before it answers.
        let _: bool = self.page.value("true").await.unwrap();
        assert_eq!(self.page.heard(), Vec::<String>::new());
        drop(self.page);
        self.browser.close().await.unwrap();
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        let text = format!("document.querySelector({selector:?}).innerText.replace(/\\s+/g, ' ')");
        self.page.value(&text).await.unwrap()
    }

    /// What a column of the table holds, counted from 1: numbers, words, or nothing that is known.
    pub(crate) async fn column(&self, column: usize) -> Vec<Value> {
        let values = format!(
            "[...document.querySelectorAll('#numbers tbody tr')].map(row => {{
                const cell = row.cells[{}];
                if (cell.innerText === '–' && (cell.dataset.v ?? '') === '') return null;
                return cell.dataset.v === undefined ? cell.innerText : Number(cell.dataset.v);
            }})",
            column - 1
        );
        self.page.value(&values).await.unwrap()
    }

    /// How a column is sorted; no other is.
    pub(crate) async fn sorted(&self, column: usize) -> String {
        let sorts =
            "[...document.querySelectorAll('#numbers th[aria-sort]')].map(th => th.ariaSort)";
        let mut sorts: Vec<String> = self.page.value(sorts).await.unwrap();
        let sort = sorts.remove(column - 1);
        assert!(sorts.iter().all(|other| other == "none"), "{sorts:?}");
        sort
    }

    /// How many texts there are, and which have less contrast with what is behind them than people need
    /// (WCAG 2, AA).
    pub(crate) async fn contrasts(&self) -> (usize, Vec<String>) {
        self.page.value(include_str!("contrasts.js")).await.unwrap()
    }
}
