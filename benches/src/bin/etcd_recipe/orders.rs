use tokio::{
    io::AsyncReadExt,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// What its starter may tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGTERM, or the end of standard input: resign and exit.
    Exit,
    /// SIGUSR1: resign and stand by.
    StepDown,
}

/// Those who listen to it.
pub(crate) struct Orders {
    terminate: Signal,
    step_down: Signal,
    hung_up: oneshot::Receiver<()>,
}

impl Orders {
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (hang_up, hung_up) = oneshot::channel();
        tokio::spawn(async move {
            let mut input = tokio::io::stdin();
            let mut bytes = [0; 256];
            while matches!(input.read(&mut bytes).await, Ok(1..)) {}
            drop(hang_up);
        });
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            step_down: signal(SignalKind::user_defined1())?,
            hung_up,
        })
    }

    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Exit,
            _ = &mut self.hung_up => Order::Exit,
            _ = self.step_down.recv() => Order::StepDown,
        }
    }

    /// Who does not lead has nothing to step down from.
    pub(crate) async fn exit(&mut self) {
        while self.next().await != Order::Exit {}
    }
}
