use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::Rest;

/// An open connection, shared by all leases.
pub trait Connection: Sized + Send + Sync + 'static {
    /// How it is opened.
    type Client: Clone + Send + Sync + 'static;

    /// Why it could not be.
    type Trouble: Clone + From<io::Error> + Send + Sync + 'static;

    /// Opens it, within a limit of its own.
    ///
    /// # Errors
    /// It could not be opened in time, or the server refuses us.
    fn open(client: &Self::Client) -> impl Future<Output = Result<Self, Self::Trouble>> + Send;

    /// Whether the next request should use it. Not, once it broke; and not after a request that was
    /// waited for in vain: a link that swallows packets looks alive for minutes.
    fn is_good(&self) -> bool;

    /// Another one is to take its place.
    fn retire(&self);
}

type Attempt<C> = Shared<BoxFuture<'static, Result<Arc<C>, <C as Connection>::Trouble>>>;

/// One server, for all leases, and the connection to it: kept while it is good, replaced when it is
/// not.
pub struct Host<C: Connection, A> {
    /// Where it is.
    pub address: A,
    client: C::Client,
    /// The connection, or the attempt to open it that all wait for.
    latest: Mutex<Option<Attempt<C>>>,
    /// Between attempts in vain.
    rest: Arc<Mutex<Rest>>,
}

impl<C: Connection, A: Send + Sync> Host<C, A> {
    /// Nothing is connected yet.
    pub fn new(address: A, client: C::Client) -> Self {
        Self { address, client, latest: Mutex::default(), rest: Arc::default() }
    }

    /// A connection that is good as far as is known.
    ///
    /// It is opened by a task of its own: who waits for it only as long as his lease allows leaves
    /// it to the next one, so that a slow login is not begun again and again. After an attempt in
    /// vain the next one, whoever wants it, waits for the end of a pause.
    ///
    /// # Errors
    /// It could not be opened. The next call tries again.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// The attempt goes on.
    pub async fn connection(&self) -> Result<Arc<C>, C::Trouble> {
        // The first may have gone bad while it was waited for. One that goes bad as soon as it is
        // opened would be opened again without end, by every candidate at once.
        for _ in 0..2 {
            let connection = self.latest_attempt().await?;
            if connection.is_good() {
                return Ok(connection);
            }
        }
        let ended = "the connection ended as soon as it was opened";
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, ended).into())
    }

    /// What was opened is of no use: another attempt waits, as after one in vain.
    pub fn rest(&self) {
        locked(&self.rest).tried(false);
    }

    /// Whether a connection is being opened, which somebody may come back for.
    pub fn is_connecting(&self) -> bool {
        let latest = locked(&self.latest);
        latest.as_ref().is_some_and(|attempt| attempt.clone().now_or_never().is_none())
    }

    fn latest_attempt(&self) -> Attempt<C> {
        let mut latest = locked(&self.latest);
        if let Some(attempt) = &*latest {
            // Asked, for what nobody was there to see is not yet known to have ended.
            match attempt.clone().now_or_never() {
                None => return attempt.clone(),
                Some(Ok(connection)) if connection.is_good() => return attempt.clone(),
                Some(Ok(connection)) => connection.retire(),
                Some(Err(_)) => {}
            }
        }
        let (client, rest) = (self.client.clone(), self.rest.clone());
        let opening = tokio::spawn(async move {
            let over = locked(&rest).over();
            over.await;
            let opened = C::open(&client).await;
            locked(&rest).tried(opened.is_ok());
            opened.map(Arc::new)
        });
        let attempt = opening
            .map(|opened| match opened {
                Ok(opened) => opened,
                Err(_) => {
                    let ended = "the runtime that opened the connection is shutting down";
                    Err(io::Error::other(ended).into())
                }
            })
            .boxed()
            .shared();
        latest.insert(attempt).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C: Connection, A: fmt::Debug> fmt::Debug for Host<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.address).finish()
    }
}
