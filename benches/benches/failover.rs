//! `cargo bench --bench failover`: how fast leadership moves. See `benches/README.md`.

use std::{path::Path, process::ExitCode};

use clap::Parser;
use leasehold_bench::{Options, Surroundings, measure, present};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

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
    let interrupt = CancellationToken::new();
    tokio::spawn(interrupted(interrupt.clone()));
    let shown = match measure(&options, &around, interrupt).await {
        Ok(outcome) => present(&outcome, &options, &around),
        Err(error) => Err(error),
    };
    shown.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

/// The first Ctrl-C ends the run and keeps what was measured; the second ends the process. All it
/// has started ends with it: their standard input does.
async fn interrupted(interrupt: CancellationToken) {
    let (Ok(mut interrupts), Ok(mut terminations)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for last in [false, true] {
        tokio::select! {
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
        if last {
            std::process::exit(130);
        }
        eprintln!("ending; what was measured is kept");
        interrupt.cancel();
    }
}
