//! One member, and the connection to it: kept while it is good, replaced when it is not.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::{
    config::{Address, Client},
    connection::Connection,
    trouble::Trouble,
};

type Attempt = Shared<BoxFuture<'static, Result<Arc<Connection>, Trouble>>>;

/// A member, for all leases.
pub(crate) struct Host {
    pub(crate) address: Address,
    client: Client,
    /// The connection, or the attempt to open it that all wait for.
    latest: Mutex<Option<Attempt>>,
}

impl Host {
    pub(crate) fn new(client: Client) -> Self {
        Self { address: client.address().clone(), client, latest: Mutex::default() }
    }

    /// A connection that is good as far as is known.
    ///
    /// It is opened by a task of its own: who waits for it only as long as his lease allows leaves
    /// it to the next one, so that a slow login is not begun again and again.
    ///
    /// # Errors
    /// It could not be opened. The next call tries again.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, Trouble> {
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

    fn latest_attempt(&self) -> Attempt {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = &*latest {
            // Asked, for what nobody was there to see is not yet known to have ended.
            match attempt.clone().now_or_never() {
                None => return attempt.clone(),
                Some(Ok(connection)) if connection.is_good() => return attempt.clone(),
                Some(_) => {}
            }
        }
        let client = self.client.clone();
        let opening = tokio::spawn(async move { Connection::open(&client).await.map(Arc::new) });
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

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.address).finish()
    }
}
