use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time,
};

use super::{connection::Connection, faults::Link};

/// Lets clients in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) link: Arc<watch::Sender<Link>>,
    pub(super) visitors: Arc<Visitors>,
}

/// How many came, and how many are there.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    present: AtomicUsize,
    ever: AtomicU64,
}

impl Door {
    /// How long to wait where no descriptor is left for a connection.
    const PAUSE: Duration = Duration::from_millis(10);

    /// Lets clients in until it is dropped.
    pub(super) async fn keep(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((client, _)) => self.admit(client),
                Err(error) => {
                    tracing::warn!(%error, "the proxy could not accept a connection");
                    time::sleep(Self::PAUSE).await;
                }
            }
        }
    }

    /// Carries the connection of a client that has come.
    pub(super) fn admit(&self, client: TcpStream) {
        if self.link.borrow().refuse {
            // Closed as it is dropped, by a reset.
            let _ = client.set_zero_linger();
            return;
        }
        let connection = Connection::new(client, self.link.clone());
        let visit = Visit::of(self.visitors.clone());
        tokio::spawn(async move {
            connection.carry().await;
            drop(visit);
        });
    }
}

impl Visitors {
    pub(super) fn present(&self) -> usize {
        self.present.load(Ordering::SeqCst)
    }

    pub(super) fn ever(&self) -> u64 {
        self.ever.load(Ordering::SeqCst)
    }
}

/// One client is there until this is dropped.
struct Visit(Arc<Visitors>);

impl Visit {
    fn of(visitors: Arc<Visitors>) -> Self {
        visitors.present.fetch_add(1, Ordering::SeqCst);
        visitors.ever.fetch_add(1, Ordering::SeqCst);
        Self(visitors)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::SeqCst);
    }
}
