//! A picture of a report, for those who only see a README.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use leasehold_bench::{Browser, View};

/// Makes a picture (PNG) of a report with Chromium: of all of it, or of what is to be seen first.
#[derive(Debug, Parser)]
struct Options {
    /// The page
    report: PathBuf,
    /// Where the picture goes
    picture: PathBuf,
    /// In dark colours
    #[arg(long)]
    dark: bool,
    /// All of it, and not only the worst of ours and the charts of two faults
    #[arg(long)]
    whole: bool,
    /// How wide the page is, in CSS pixels
    #[arg(long, default_value_t = 1100)]
    width: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let browser = Browser::start().await?;
    let view = View { width: options.width, height: 100, sharpness: 2.0, dark: options.dark };
    let page = browser.open(&options.report, view).await?;
    if !options.whole {
        page.shorten().await?;
    }
    let png = page.picture(view).await?;
    std::fs::write(&options.picture, png)
        .with_context(|| format!("could not write {}", options.picture.display()))?;
    drop(page);
    browser.close().await
}
