//! `cargo bench --bench failover`: how fast leadership moves. See `benches/README.md`.

use std::{path::Path, process::ExitCode};

use clap::Parser;
use leasehold_bench::{Options, Surroundings, command};

// One thread: the harness is not to take a core from what it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Cargo's directory for tests lies in its target directory.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let around = Surroundings {
        contender: env!("CARGO_BIN_EXE_contender").into(),
        floor: env!("CARGO_BIN_EXE_floor").into(),
        target: target.parent().unwrap_or(target).into(),
    };
    command(options, around).await
}
