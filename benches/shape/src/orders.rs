use std::io;

use tokio::{
    io::AsyncReadExt,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// What a contender may be told while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGTERM, or the end of standard input, so that no contender outlives its harness: resign and
    /// exit.
    Exit,
    /// SIGUSR1: resign and stand by.
    StepDown,
}

/// Ends when standard input does.
pub async fn hung_up() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 256];
    while matches!(input.read(&mut bytes).await, Ok(1..)) {}
}

/// Listens to what a contender is told.
#[derive(Debug)]
pub struct Orders {
    terminate: Signal,
    step_down: Signal,
    no_input: CancellationToken,
}

impl Orders {
    /// From now on; to be called before `ready` is said, for who hears that may send a signal.
    ///
    /// Standard input is read on a thread that nobody can wake: a program that has ended its work
    /// ends with [`std::process::exit`].
    ///
    /// # Errors
    /// The system does not let it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn listen() -> io::Result<Self> {
        let no_input = CancellationToken::new();
        let hang_up = no_input.clone().drop_guard();
        tokio::spawn(async move {
            let _hang_up = hang_up;
            hung_up().await;
        });
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            step_down: signal(SignalKind::user_defined1())?,
            no_input,
        })
    }

    /// Waits for the next one.
    ///
    /// # Cancel safety
    /// None is lost.
    pub async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Exit,
            () = self.no_input.cancelled() => Order::Exit,
            _ = self.step_down.recv() => Order::StepDown,
        }
    }

    /// Waits until it is to exit, for who has nothing to step down from.
    ///
    /// # Cancel safety
    /// None is lost.
    pub async fn exit(&mut self) {
        while self.next().await != Order::Exit {}
    }
}
