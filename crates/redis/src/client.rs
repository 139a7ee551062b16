use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use leasehold_core::{Error, LeaseName};
use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};

use crate::{
    RedisConfig, RedisLock,
    config::{Address, Client},
    connection::{Connection, Host},
    error,
    scripts::Request,
};

/// How often one request follows a cluster's "ask that one" before the cluster is called confused:
/// in a healthy one, once; twice while a slot moves.
const REDIRECTIONS: usize = 5;

/// What to do where nothing is answered.
const SILENCE: &str = "see whether the server is overloaded or frozen";

/// One Redis or Valkey, with however many servers, for any number of leases: they share its
/// connections.
///
/// ```
/// # async fn example() -> Result<(), leasehold_core::Error> {
/// use leasehold_core::LeaseName;
/// use leasehold_redis::{Redis, RedisConfig};
///
/// let redis = Redis::new(RedisConfig::single("10.0.0.5", 6379));
/// let jobs = redis.lock(LeaseName::new("jobs")?);
/// let backups = redis.lock(LeaseName::new("backups")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    config: RedisConfig,
    servers: Mutex<Hosts>,
    sentinels: Mutex<Hosts>,
}

pub(crate) type Hosts = HashMap<Address, Arc<Host>>;

/// Where one lease is kept, as far as its lock knows. None: it has to be found, or found again.
#[derive(Debug, Default)]
pub(crate) struct Place(Mutex<Option<Arc<Host>>>);

/// What a server answered, and the connection that it came on.
pub(crate) struct Answer {
    pub(crate) value: Value,
    pub(crate) connection: Arc<Connection>,
}

impl Redis {
    /// The Redis that the configuration names. Nothing is connected before a lock is used.
    pub fn new(config: RedisConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                servers: Mutex::default(),
                sentinels: Mutex::default(),
            }),
        }
    }

    /// The lock on the lease of this name.
    pub fn lock(&self, name: LeaseName) -> RedisLock {
        RedisLock::new(self.clone(), &name)
    }

    pub(crate) fn config(&self) -> &RedisConfig {
        &self.shared.config
    }

    /// Sends a request to the server that keeps the lease, wherever that is by now.
    ///
    /// Its place is forgotten unless it answers: also when this is dropped because no answer came
    /// in time.
    pub(crate) async fn ask(
        &self,
        place: &Place,
        request: &Request,
        operation: &str,
    ) -> Result<Answer, Error> {
        within(operation, async {
            let mut visit = Visit { place, host: None, answered: false };
            // Servers of a cluster that could not serve the lease just now.
            let mut unfit = Vec::new();
            let mut host = self.find(place, operation).await?;
            let mut importing = false;
            for _ in 0..=REDIRECTIONS {
                visit.host = Some(host.clone());
                let failed = |error| error::failed(operation, &host.address, &error);
                let connection = host.connection().await.map_err(failed)?;
                let refusal = match run(&connection, request, importing).await {
                    Ok(value) => {
                        visit.answered = true;
                        // The server that takes a slot over keeps it only once all is moved.
                        if !importing && place.keep(&host) {
                            self.forget_unused();
                        }
                        return Ok(Answer { value, connection });
                    }
                    Err(refusal) => refusal,
                };
                importing = refusal.kind() == ErrorKind::Server(ServerErrorKind::Ask);
                host = match self.redirection(&host, &refusal) {
                    Some(next) => self.server(next)?,
                    None if self.is_served_elsewhere(&refusal) => {
                        unfit.push(host.address.clone());
                        match self.locate(operation, &unfit).await {
                            Ok(other) => other,
                            Err(_) => return Err(failed(refusal)),
                        }
                    }
                    None => return Err(failed(refusal)),
                };
            }
            Err(error::sent_around(operation, REDIRECTIONS))
        })
        .await
    }

    /// A connection to the server that keeps the lease, as far as its lock knows.
    pub(crate) async fn connection(
        &self,
        place: &Place,
        operation: &str,
    ) -> Result<Arc<Connection>, Error> {
        within(operation, async {
            let host = self.find(place, operation).await?;
            let connection = host.connection().await;
            connection.map_err(|error| error::failed(operation, &host.address, &error))
        })
        .await
    }

    async fn find(&self, place: &Place, operation: &str) -> Result<Arc<Host>, Error> {
        match place.known() {
            Some(host) => Ok(host),
            None => self.locate(operation, &[]).await,
        }
    }

    pub(crate) fn server(&self, address: Address) -> Result<Arc<Host>, Error> {
        host(&self.shared.servers, address, self.config(), RedisConfig::client)
    }

    pub(crate) fn sentinel(&self, address: Address) -> Result<Arc<Host>, Error> {
        host(&self.shared.sentinels, address, self.config(), RedisConfig::sentinel_client)
    }

    pub(crate) fn servers(&self) -> Vec<Arc<Host>> {
        locked(&self.shared.servers).values().cloned().collect()
    }

    /// Forgets the servers that the configuration does not name and no lease needs, with their
    /// connections: masters that were, and whatever a cluster has named and left behind.
    ///
    /// Only when a lease has just been found: so whichever server answered last is still known when
    /// all others are gone.
    fn forget_unused(&self) {
        let named = self.config().topology().servers();
        // Whoever asks for one holds this lock meanwhile.
        locked(&self.shared.servers).retain(|address, host| {
            named.contains(address) || Arc::strong_count(host) > 1 || host.is_connecting()
        });
    }
}

/// The one of this address, which all leases share.
fn host(
    hosts: &Mutex<Hosts>,
    address: Address,
    config: &RedisConfig,
    client: impl FnOnce(&RedisConfig, &Address) -> Result<Client, Error>,
) -> Result<Arc<Host>, Error> {
    let mut hosts = locked(hosts);
    if let Some(host) = hosts.get(&address) {
        return Ok(host.clone());
    }
    let client = client(config, &address)?;
    let host = Arc::new(Host::new(address.clone(), client));
    hosts.insert(address, host.clone());
    Ok(host)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Errors
/// As `work`, or that it took too long.
pub(crate) async fn within<T>(
    operation: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    leasehold_endpoint::within(operation, SILENCE, work).await
}

/// Runs a script, which the server may not know yet.
async fn run(connection: &Connection, request: &Request, importing: bool) -> RedisResult<Value> {
    let run = async |command| match importing {
        true => connection.ask_importing(&command).await,
        false => connection.ask(&command).await,
    };
    match run(request.short()).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            run(request.whole()).await
        }
        answer => answer,
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Place {
    fn known(&self) -> Option<Arc<Host>> {
        locked(&self.0).clone()
    }

    /// Says whether another was known, or none.
    fn keep(&self, host: &Arc<Host>) -> bool {
        let mut known = locked(&self.0);
        let same = known.as_ref().is_some_and(|known| Arc::ptr_eq(known, host));
        if !same {
            *known = Some(host.clone());
        }
        !same
    }
}

/// A request that is sent to where its lease is believed to be. Unless it is answered, that is
/// believed no more.
struct Visit<'a> {
    place: &'a Place,
    host: Option<Arc<Host>>,
    answered: bool,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut known = locked(&self.place.0);
        let same = match (&*known, &self.host) {
            (Some(known), Some(host)) => Arc::ptr_eq(known, host),
            _ => false,
        };
        if same && !self.answered {
            *known = None;
        }
    }
}
