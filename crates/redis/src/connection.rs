//! One connection to one server: requests, subscriptions, and whether it still lives.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, PushInfo, PushKind, RedisResult, Value, aio::MultiplexedConnection,
};
use tokio::{
    runtime::Handle,
    sync::{self, mpsc},
    task::JoinSet,
    time::{self, Instant},
};

use crate::config::{Address, Client};

/// Less than an elector waits for any answer. A request that is given up sooner was not waited for
/// in vain: somebody did not want the answer any more.
const IN_VAIN: Duration = Duration::from_millis(2);

/// An open connection, shared by all leases on its server.
pub(crate) struct Connection {
    pub(crate) address: Address,
    multiplexed: MultiplexedConnection,
    /// Moves the bytes. Dropped with this, whatever may still be unanswered.
    _moving: JoinSet<()>,
    mail: Arc<Mail>,
    /// Held while the server is told what is wanted, so that it is told in the order of the wishes.
    telling: sync::Mutex<()>,
}

impl Connection {
    /// # Errors
    /// It could not be opened in this time, or the server refuses us.
    pub(crate) async fn open(client: &Client) -> RedisResult<Self> {
        let mail = Arc::new(Mail::default());
        let postman = mail.clone();
        let config = AsyncConnectionConfig::new()
            // Whoever asks sets a limit of his own, and one that has passed must be noticed here.
            .set_response_timeout(None)
            .set_push_sender(move |push| {
                postman.deliver(push);
                Ok::<(), redis::aio::SendError>(())
            });
        let (multiplexed, moving) = client.connect(config).await?;
        let (address, telling) = (client.address().clone(), sync::Mutex::default());
        Ok(Self { address, multiplexed, _moving: moving, mail, telling })
    }

    /// Whether the next request should use it. Not, once it broke; and not after a request that was
    /// waited for in vain: a link that swallows packets looks alive for minutes.
    pub(crate) fn is_good(&self) -> bool {
        !self.mail.closed.load(Ordering::Acquire)
    }

    /// Ends its subscriptions: another connection is to take its place.
    pub(crate) fn retire(&self) {
        self.mail.close();
    }

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
        let mut flight = Flight { connection: self, began: Instant::now(), landed: false };
        let answer = request(self.multiplexed.clone()).await;
        flight.landed = true;
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
        let (sender, messages) = mpsc::unbounded_channel();
        let subscription =
            Subscription { connection: self.clone(), channel: channel.to_owned(), messages };
        let _telling = self.telling.lock().await;
        self.mail.boxes().entry(channel.to_owned()).or_default().push(sender);
        if self.mail.closed.load(Ordering::Acquire) {
            self.mail.close();
        }
        self.flight(async |mut connection| connection.subscribe(channel).await).await?;
        Ok(subscription)
    }

    /// Tells the server that nobody here reads a channel, if nobody does.
    async fn unsubscribe(&self, channel: &str) {
        let _telling = self.telling.lock().await;
        let unread = self.mail.boxes().get(channel).is_some_and(Vec::is_empty);
        if unread && self.mail.boxes().remove(channel).is_some() && self.is_good() {
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
    began: Instant,
    landed: bool,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.landed && self.began.elapsed() >= IN_VAIN {
            self.connection.retire();
        }
    }
}

/// What is published on one channel, for one reader.
pub(crate) struct Subscription {
    connection: Arc<Connection>,
    channel: String,
    messages: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Subscription {
    /// The next message; none, once the connection has ended.
    ///
    /// Cancel safe: no message is lost.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        self.messages.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.messages.close();
        let mut boxes = self.connection.mail.boxes();
        let Some(readers) = boxes.get_mut(&self.channel) else { return };
        readers.retain(|reader| !reader.is_closed());
        if readers.is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            let (connection, channel) = (self.connection.clone(), self.channel.clone());
            runtime.spawn(async move { connection.unsubscribe(&channel).await });
        }
    }
}

/// The readers of each channel.
#[derive(Default)]
struct Mail {
    boxes: Mutex<HashMap<String, Vec<mpsc::UnboundedSender<Vec<u8>>>>>,
    closed: AtomicBool,
}

impl Mail {
    fn boxes(&self) -> MutexGuard<'_, HashMap<String, Vec<mpsc::UnboundedSender<Vec<u8>>>>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, push: PushInfo) {
        match (push.kind, <[Value; 2]>::try_from(push.data)) {
            (PushKind::Disconnection, _) => self.close(),
            (PushKind::Message, Ok([Value::BulkString(channel), Value::BulkString(message)])) => {
                let Ok(channel) = str::from_utf8(&channel) else { return };
                for reader in self.boxes().get(channel).into_iter().flatten() {
                    // Who does not read any more is about to be forgotten.
                    let _ = reader.send(message.clone());
                }
            }
            _ => {}
        }
    }

    /// Dropping the senders ends what the readers hear.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.boxes().clear();
    }
}
