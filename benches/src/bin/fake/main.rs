//! Stands in for a contender in the harness' own tests, and misbehaves as its URL says:
//! `fake:BEHAVIOUR:/path/of/a/file` elects by a file lock, `fake://HOST:PORT/BEHAVIOUR/NAME` by the
//! toy store of the tests.

mod by_file;
mod by_tcp;

use std::{io::Write, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use leasehold_bench::{ContenderOptions, hung_up};

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let options = Options::parse().contender;
    if let Some(rest) = options.url.strip_prefix("fake://") {
        let mut parts = rest.splitn(3, '/');
        let (address, behaviour) = parts.next().zip(parts.next()).context("fake://HOST:PORT/…")?;
        let stubborn = behaviour == "stubborn";
        let name = parts.next().context("fake://HOST:PORT/BEHAVIOUR/NAME is needed")?;
        tokio::select! {
            done = by_tcp::campaign(address, name, stubborn, &options) => done?,
            () = hung_up() => {}
        }
        std::process::exit(0)
    }
    let mut parts = options.url.splitn(3, ':').skip(1);
    let (behaviour, path) = (parts.next(), parts.next());
    let (behaviour, path) = behaviour.zip(path).context("fake:BEHAVIOUR:PATH is needed")?;
    if behaviour == "dies" {
        eprintln!("the store is closed on Sundays ({}, {})", options.id, options.timing);
        return Ok(ExitCode::from(3));
    }
    let mut fake = by_file::Fake::new(behaviour, path)?;
    tokio::select! {
        done = fake.campaign(options.trace) => done?,
        () = hung_up() => {}
    }
    std::process::exit(0)
}

fn say_at(t: u64, event: &str, more: &str) {
    let line = format!("{{\"event\":\"{event}\",\"id\":\"fake\",\"t\":{t}{more}}}\n");
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}
