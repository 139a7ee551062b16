use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::flag;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A shutdown that the system asks for: it is cancelled at the first SIGTERM or SIGINT (Ctrl-C). A
/// second one ends the process at once, with exit code 1, for whoever is tired of waiting: also where
/// the runtime has ended, and waits for work that blocks its thread.
///
/// # Errors
/// The system lets nobody listen to signals.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn stop_signals() -> io::Result<CancellationToken> {
    let was_asked = Arc::new(AtomicBool::new(false));
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        // In this order: only a second one finds it set.
        flag::register_conditional_shutdown(kind.as_raw_value(), 1, was_asked.clone())?;
        flag::register(kind.as_raw_value(), was_asked.clone())?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        asked.cancel();
    });
    Ok(shutdown)
}
