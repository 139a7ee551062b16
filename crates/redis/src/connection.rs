//! One connection to one server: requests, subscriptions, and whether it still lives.

use std::{fmt, sync::Arc, time::Duration};

use leasehold_endpoint::{Answers, Connection as _, Wait};
use redis::{
    AsyncConnectionConfig, Cmd, RedisError, RedisResult, Value, aio::MultiplexedConnection,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, watch},
    task::JoinSet,
    time,
};

use crate::{
    config::{Address, Client},
    subscriptions::Subscriptions,
};

/// A server, and the connection to it.
pub(crate) type Host = leasehold_endpoint::Host<Connection, Address>;

/// An open connection, shared by all leases on its server.
pub(crate) struct Connection {
    pub(crate) address: Address,
    multiplexed: MultiplexedConnection,
    /// Moves the bytes. Dropped with this, whatever may still be unanswered.
    _moving: JoinSet<()>,
    subscriptions: Arc<Subscriptions>,
    /// Held while the server is told of a subscription or of its end: a channel's end must not
    /// overtake its next beginning.
    subscribing: Mutex<()>,
    answers: Answers,
}

impl leasehold_endpoint::Connection for Connection {
    type Client = Client;
    type Trouble = RedisError;

    async fn open(client: &Client) -> RedisResult<Self> {
        let subscriptions = Arc::<Subscriptions>::default();
        let pushed = subscriptions.clone();
        let config = AsyncConnectionConfig::new()
            // Whoever asks sets a limit of his own, and one that has passed must be noticed here.
            .set_response_timeout(None)
            .set_push_sender(move |push| {
                pushed.push(push);
                Ok::<(), redis::aio::SendError>(())
            });
        let (multiplexed, moving) = client.connect(config).await?;
        Ok(Self {
            address: client.address().clone(),
            multiplexed,
            _moving: moving,
            subscriptions,
            subscribing: Mutex::default(),
            answers: Answers::default(),
        })
    }

    fn is_good(&self) -> bool {
        !self.subscriptions.have_ended()
    }

    /// Ends its subscriptions, too.
    fn retire(&self) {
        self.subscriptions.end();
    }
}

impl Connection {
    /// # Errors
    /// The server refuses, or it is unknown what it did.
    ///
    /// # Cancel safety
    /// The request may have been sent, or be sent later.
    pub(crate) async fn ask(&self, request: &Cmd) -> RedisResult<Value> {
        self.flight(async |mut connection| request.query_async(&mut connection).await).await
    }

    /// Asks a server that is taking over the key's slot from another.
    ///
    /// # Errors, and cancel safety
    /// As [`ask`](Self::ask).
    pub(crate) async fn ask_importing(&self, request: &Cmd) -> RedisResult<Value> {
        let mut pipeline = redis::pipe();
        // The errors of a whole pipeline would hide where this one sends us.
        pipeline.cmd("ASKING").add_command(request.clone()).ignore_errors();
        let (asking, answer): (RedisResult<Value>, RedisResult<Value>) =
            self.flight(async |mut connection| pipeline.query_async(&mut connection).await).await?;
        asking.and(answer)
    }

    async fn flight<T>(
        &self,
        request: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut flight = Flight { connection: self, wait: self.answers.wait(), landed: false };
        let answer = request(self.multiplexed.clone()).await;
        flight.landed = true;
        if answer.is_ok() {
            self.answers.came();
        }
        if answer.as_ref().is_err_and(|error| error.is_unrecoverable_error()) {
            self.retire();
        }
        answer
    }

    /// What is published on a channel from now on, until the connection ends.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) async fn subscribe(self: &Arc<Self>, channel: &str) -> RedisResult<Subscription> {
        let _one_by_one = self.subscribing.lock().await;
        let messages = Some(self.subscriptions.add(channel));
        let subscription =
            Subscription { connection: self.clone(), channel: channel.to_owned(), messages };
        self.flight(async |mut connection| connection.subscribe(channel).await).await?;
        Ok(subscription)
    }

    /// Tells the server that nobody here reads a channel, if nobody does.
    async fn unsubscribe(&self, channel: &str) {
        let _one_by_one = self.subscribing.lock().await;
        if self.subscriptions.is_unread(channel) {
            self.subscriptions.remove(channel);
            let tell = self.flight(async |mut connection| connection.unsubscribe(channel).await);
            // If it cannot be told, messages come that nobody reads.
            let _ = time::timeout(Duration::from_secs(1), tell).await;
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("address", &self.address)
            .field("good", &self.is_good())
            .finish_non_exhaustive()
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

/// What is published on one channel, for one reader.
pub(crate) struct Subscription {
    connection: Arc<Connection>,
    channel: String,
    /// There until it is dropped.
    messages: Option<watch::Receiver<Vec<u8>>>,
}

impl Subscription {
    /// The newest message, if it was not returned yet, or else the next; none, once the connection has
    /// ended.
    ///
    /// Cancel safe: no message is lost.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let messages = self.messages.as_mut()?;
        messages.changed().await.ok()?;
        Some(messages.borrow_and_update().clone())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // It must not be counted as a reader any more.
        self.messages = None;
        if self.connection.subscriptions.is_unread(&self.channel)
            && let Ok(runtime) = Handle::try_current()
        {
            let (connection, channel) = (self.connection.clone(), self.channel.clone());
            runtime.spawn(async move { connection.unsubscribe(&channel).await });
        }
    }
}
