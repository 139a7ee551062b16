//! Somebody else than an apiserver.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use super::stranger_at;

/// Something that says this to whoever has said something.
pub(crate) struct Stranger {
    pub(crate) address: SocketAddr,
    visitors: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Stranger {
    pub(crate) async fn who_says(words: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let visitors = Arc::<AtomicUsize>::default();
        let visits = visitors.clone();
        let task = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                visits.fetch_add(1, Ordering::Relaxed);
                let words = words.clone();
                tokio::spawn(async move {
                    let mut heard = [0; 1 << 14];
                    let _ = connection.read(&mut heard).await;
                    let _ = connection.write_all(words.as_bytes()).await;
                    let _ = connection.shutdown().await;
                });
            }
        });
        Self { address, visitors, task }
    }

    pub(crate) async fn who_answers(status: &str, kind: &str, body: &str) -> Self {
        Self::who_says(format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
        .await
    }

    /// How many have come.
    pub(crate) fn visitors(&self) -> usize {
        self.visitors.load(Ordering::Relaxed)
    }

    pub(crate) fn kubeconfig(&self) -> NamedTempFile {
        stranger_at(&format!("http://{}", self.address))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.task.abort();
    }
}
