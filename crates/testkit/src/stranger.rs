use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

/// What listens somewhere and is no store: it takes every connection, and says the same to whoever has
/// said something.
#[derive(Debug)]
pub struct Stranger {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What it does when it has said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Closes the connection.
    Closes,
    /// Waits until the other one does, and hears no more.
    Waits,
    /// Says it again, as long as somebody listens.
    Repeats,
}

impl Stranger {
    /// One on loopback, until it is dropped.
    ///
    /// # Panics
    /// If no port is left.
    pub async fn who_says(words: &'static [u8], then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut heard = [0; 1 << 12];
                    let _ = connection.read(&mut heard).await;
                    while connection.write_all(words).await.is_ok() && then == Then::Repeats {}
                    if then == Then::Waits {
                        while connection.read(&mut heard).await.is_ok_and(|read| read > 0) {}
                    }
                });
            }
        });
        Self { address, accepted, task }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made until now.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.task.abort();
    }
}
