use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Options, Surroundings, measure, present};

/// All of `cargo bench --bench failover`, from what was asked for to the exit code.
pub async fn command(options: Options, around: Surroundings) -> ExitCode {
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
