//! One connection to one member: requests, streams, and whether it still lives.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use etcd_client::{KvClient, ResponseHeader, WatchClient};
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{config::Client, trouble::Trouble, version};

/// Less than an elector waits for any answer. A request that is given up sooner was not waited for
/// in vain: somebody did not want the answer any more.
pub(crate) const IN_VAIN: Duration = Duration::from_millis(2);

/// The greatest answer that is read: several times what etcd takes as a value, unless it is told
/// to take more.
const GREATEST_MESSAGE: usize = 1 << 24;

/// An open connection, shared by all leases.
pub(crate) struct Connection {
    client: etcd_client::Client,
    /// Told to whoever watches over it, and to whoever would send a request.
    ended: CancellationToken,
    /// The id of the cluster that the member belongs to.
    pub(crate) cluster: u64,
    /// How many requests were answered.
    answers: AtomicU64,
}

impl Connection {
    /// # Errors
    /// It could not be opened in time, or etcd refuses us.
    pub(crate) async fn open(client: &Client) -> Result<Self, Trouble> {
        let ended = CancellationToken::new();
        let (etcd, status) = client.connect(ended.clone()).await?;
        version::check(client.address(), status.version());
        let cluster = status.header().map_or(0, ResponseHeader::cluster_id);
        Ok(Self { client: etcd, ended, cluster, answers: AtomicU64::new(0) })
    }

    /// Whether the next request should use it. Not, once it broke; and not after a request that was
    /// waited for in vain: a link that swallows packets looks alive for minutes.
    pub(crate) fn is_good(&self) -> bool {
        !self.ended.is_cancelled()
    }

    /// Another connection is to take its place.
    pub(crate) fn retire(&self) {
        self.ended.cancel();
    }

    /// Waits until it is no longer good.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// # Errors
    /// etcd refuses, or it is unknown what it did.
    ///
    /// # Cancel safety
    /// The request may have been sent, or be sent later.
    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(KvClient) -> BoxFuture<'static, Result<T, etcd_client::Error>> + Send,
    ) -> Result<T, Trouble> {
        let answers = self.answers.load(Ordering::Relaxed);
        let mut flight = Flight { connection: self, began: Instant::now(), answers, landed: false };
        let client = self.client.kv_client().max_decoding_message_size(GREATEST_MESSAGE);
        let answer =
            request(client).await.map_err(|error| Trouble::from(error).of_an_open_connection());
        flight.landed = true;
        if answer.is_ok() {
            self.answers.fetch_add(1, Ordering::Relaxed);
        }
        if answer.as_ref().is_err_and(Trouble::breaks_the_connection) {
            self.retire();
        }
        answer
    }

    pub(crate) fn watch_client(&self) -> WatchClient {
        self.client.watch_client().max_decoding_message_size(GREATEST_MESSAGE)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("good", &self.is_good()).finish_non_exhaustive()
    }
}

/// A request that is under way.
struct Flight<'a> {
    connection: &'a Connection,
    began: Instant,
    /// There were so many answers before it.
    answers: u64,
    landed: bool,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let silent = self.connection.answers.load(Ordering::Relaxed) == self.answers;
        if !self.landed && silent && self.began.elapsed() >= IN_VAIN {
            self.connection.retire();
        }
    }
}
