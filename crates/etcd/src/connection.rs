//! One connection to one member: requests, streams, and whether it still lives.

use std::fmt;

use etcd_client::{KvClient, ResponseHeader, WatchClient};
use futures::future::BoxFuture;
use leasehold_endpoint::{Answers, Connection as _, Wait};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Address, Client},
    trouble::Trouble,
    version,
};

/// A member, and the connection to it.
pub(crate) type Host = leasehold_endpoint::Host<Connection, Address>;

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
    answers: Answers,
}

impl leasehold_endpoint::Connection for Connection {
    type Client = Client;
    type Trouble = Trouble;

    async fn open(client: &Client) -> Result<Self, Trouble> {
        let ended = CancellationToken::new();
        let (etcd, status) = client.connect(ended.clone()).await?;
        version::check(client.address(), status.version());
        let cluster = status.header().map_or(0, ResponseHeader::cluster_id);
        Ok(Self { client: etcd, ended, cluster, answers: Answers::default() })
    }

    fn is_good(&self) -> bool {
        !self.ended.is_cancelled()
    }

    fn retire(&self) {
        self.ended.cancel();
    }
}

impl Connection {
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
        let mut flight = Flight { connection: self, wait: self.answers.wait(), landed: false };
        let client = self.client.kv_client().max_decoding_message_size(GREATEST_MESSAGE);
        let answer =
            request(client).await.map_err(|error| Trouble::from(error).of_an_open_connection());
        flight.landed = true;
        if answer.is_ok() {
            self.answers.came();
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
    wait: Wait,
    landed: bool,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.landed && self.connection.answers.none_since(&self.wait) {
            self.connection.retire();
        }
    }
}
