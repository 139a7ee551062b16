use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A shutdown that the system asks for: it is cancelled at the first SIGTERM or SIGINT (Ctrl-C). A
/// second one ends the process at once, for whoever is tired of waiting.
///
/// # Errors
/// The system lets nobody listen to signals.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn stop_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                asked.cancel();
            }
        }
        std::process::exit(1);
    });
    Ok(shutdown)
}
