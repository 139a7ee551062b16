use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{
    Error, ErrorKind, Guarantees, LeaseLock, LeaseName, Observation, Record, Swap, wire::Unreadable,
};
use leasehold_endpoint::Connection as _;

use crate::{
    Redis, RedisConfig,
    client::{Answer, Place},
    connection::Connection,
    error,
    scripts::{Flaw, Request, Seen},
    watch,
};

/// A lease that is kept in Redis or Valkey, under the key `leasehold:NAME`.
pub struct RedisLock {
    pub(crate) lease: Arc<Lease>,
}

/// One lease, for its lock and for those who watch.
pub(crate) struct Lease {
    redis: Redis,
    key: String,
    channel: String,
    /// As [`LeaseLock::describe`] shows it.
    title: String,
    place: Place,
    /// The connection on which changes are told. Where the lease answers on another one, it has
    /// moved, and nothing more would be told here.
    watched: Mutex<Weak<Connection>>,
    /// What is unreadable is warned of once: the witness of the last that was.
    warned_of: Mutex<String>,
}

impl RedisLock {
    /// The lock on the lease that a URL names: its forms are those of
    /// [`RedisConfig::from_url`]. The server is asked for the lease once, so that whatever is wrong
    /// is known now. For several leases of one Redis, see [`Redis`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no such URL, [`ErrorKind::Unreachable`] where there is no
    /// such server, [`ErrorKind::Denied`] where it refuses the credentials or a command (which is
    /// named), and whatever else [`observe`](LeaseLock::observe) says. No error shows a secret.
    ///
    /// # Cancel safety
    /// Dropped, nothing is left behind.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let (config, name) = RedisConfig::from_url(url)?;
        let lock = Redis::new(config).lock(name);
        lock.observe().await?;
        Ok(lock)
    }

    pub(crate) fn new(redis: Redis, name: &LeaseName) -> Self {
        let config = redis.config();
        let key = format!("leasehold:{name}");
        // Channels know no databases.
        let channel = format!("{key}@{}", config.database());
        let title = format!("redis lease {name:?} at {}", config.describe());
        let (place, watched) = (Place::default(), Mutex::default());
        let warned_of = Mutex::default();
        Self { lease: Arc::new(Lease { redis, key, channel, title, place, watched, warned_of }) }
    }
}

impl Lease {
    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    pub(crate) fn operation(&self, verb: &str) -> String {
        format!("{verb} {}", self.title)
    }

    /// What is there now, and the connection on which the server said so.
    pub(crate) async fn observe(&self) -> Result<(Observation, Arc<Connection>), Error> {
        let (request, operation) =
            (Request::observe(&self.key, &self.channel), self.operation("read"));
        let Answer { value, connection } = self.ask(&request, &operation).await?;
        let seen = Seen::observed(value).map_err(|error| error::nonsense(&operation, &error))?;
        Ok((self.shown(&seen, &operation)?, connection))
    }

    async fn ask(&self, request: &Request, operation: &str) -> Result<Answer, Error> {
        let answer = self.redis.ask(&self.place, request, operation).await?;
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(watched) = watched
            && !Arc::ptr_eq(&watched, &answer.connection)
        {
            watched.retire();
        }
        Ok(answer)
    }

    /// Changes are told on this connection from now on.
    pub(crate) fn watch_on(&self, connection: &Arc<Connection>) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(connection);
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let request = Request::swap(&self.key, &self.channel, expected, record);
        let operation = self.operation("replace");
        let Answer { value, .. } = self.ask(&request, &operation).await?;
        let (written, seen) =
            Seen::swapped(value).map_err(|error| error::nonsense(&operation, &error))?;
        let seen = self.shown(&seen, &operation);
        match written {
            true => seen.map(Swap::Written),
            // Refused, whatever is there: also where it cannot be shown.
            false => Ok(Swap::Refused(seen.ok())),
        }
    }

    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, Error> {
        self.redis.connection(&self.place, &self.operation("watch")).await
    }

    /// # Errors
    /// The record is of a newer format.
    pub(crate) fn shown(&self, seen: &Seen, operation: &str) -> Result<Observation, Error> {
        let (observation, flaw) = seen.judged();
        match flaw {
            None => {}
            Some(Flaw::Record(newer @ Unreadable::Newer(_))) => {
                let (operation, message) = (operation.to_owned(), format!("it is {newer}"));
                return Err(Error::new(ErrorKind::NewerFormat, operation, message));
            }
            Some(flaw) => {
                let mut warned_of = self.warned_of.lock().unwrap_or_else(PoisonError::into_inner);
                if *warned_of != seen.witness {
                    warned_of.clone_from(&seen.witness);
                    tracing::warn!(
                        lease = %self.title,
                        key = %self.key,
                        "what is there is no record, and is waited out like a vacant one: {flaw}"
                    );
                }
            }
        }
        Ok(observation)
    }
}

impl fmt::Debug for RedisLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLock")
            .field("key", &self.lease.key)
            .field("redis", &self.lease.redis)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LeaseLock for RedisLock {
    fn describe(&self) -> String {
        self.lease.title.clone()
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            backend: "redis",
            memory_loss: "a restart without persistence, a promoted replica that lagged, FLUSHALL \
                          and eviction start a wait, and versions go on from the server's clock; \
                          an old master that lives on and still reaches its leader is not covered",
            pushes: true,
            proves_death: false,
            shortest_lease: Duration::from_millis(100),
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.lease.observe().await.map(|(observation, _)| observation)
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        self.lease.swap(expected, record).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        watch::observations(self.lease.clone())
    }
}
