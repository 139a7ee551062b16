//! The contract, one test for each sentence: on one server, under TLS with a user of few rights, on
//! a cluster, and behind sentinels.

use std::{
    env,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use leasehold_core::LeaseLock;
use leasehold_redis::{Redis, RedisConfig};
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
    redis::{RedisCluster, RedisOptions, RedisSentinels, RedisServer},
};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, RwLock};

conformance!(standalone, RedisFixture::new(&STANDALONE).await);
conformance!(tls_and_acl, RedisFixture::new(&SECURED).await);
conformance!(cluster, RedisFixture::new(&CLUSTER).await);
conformance!(sentinels, RedisFixture::new(&SENTINELS).await);

static STANDALONE: LazyLock<Store> = LazyLock::new(|| {
    let server = match env::var_os("LEASEHOLD_REDIS_URL") {
        Some(_) => RedisServer::start(),
        None => debuggable().start(),
    };
    Store::new(Servers::One(Box::new(server.unwrap())))
});
static SECURED: LazyLock<Store> =
    LazyLock::new(|| Store::new(Servers::One(Box::new(debuggable().tls().acl().start().unwrap()))));
static CLUSTER: LazyLock<Store> = LazyLock::new(|| {
    Store::new(Servers::Cluster(Box::new(RedisCluster::with(debuggable()).unwrap())))
});
static SENTINELS: LazyLock<Store> = LazyLock::new(|| {
    Store::new(Servers::Sentinels(Box::new(RedisSentinels::with(debuggable(), None).unwrap())))
});

/// A server that changes its replication id when it is told to.
fn debuggable() -> RedisOptions {
    RedisOptions::new().config_line("enable-debug-command yes")
}

/// Servers that all tests share, started by the first.
struct Store {
    servers: Servers,
    /// Held for reading by each test. Whoever changes the servers' era lets go of it, and writes:
    /// so the era of the others' tests stays.
    era: Arc<RwLock<()>>,
}

enum Servers {
    One(Box<RedisServer>),
    Cluster(Box<RedisCluster>),
    Sentinels(Box<RedisSentinels>),
}

impl Store {
    fn new(servers: Servers) -> Self {
        Self { servers, era: Arc::default() }
    }

    fn url(&self, lease: &str) -> String {
        match &self.servers {
            Servers::One(server) => server.url(lease),
            Servers::Cluster(cluster) => cluster.url(lease),
            Servers::Sentinels(sentinels) => sentinels.url(lease),
        }
    }

    /// The server that keeps the lease.
    fn server(&self, lease: &str) -> &RedisServer {
        match &self.servers {
            Servers::One(server) => server,
            Servers::Cluster(cluster) => cluster.node_of(lease),
            Servers::Sentinels(sentinels) => sentinels.master(),
        }
    }
}

struct RedisFixture {
    store: &'static Store,
    lease: String,
    peace: Mutex<Option<OwnedRwLockReadGuard<()>>>,
}

impl RedisFixture {
    async fn new(store: &'static LazyLock<Store>) -> Self {
        static LEASES: AtomicU64 = AtomicU64::new(0);
        // To start servers blocks.
        let store = tokio::task::spawn_blocking(|| &**store).await.unwrap();
        // An address from the environment knows the leases of earlier runs.
        let number = LEASES.fetch_add(1, Ordering::Relaxed);
        let lease = format!("jobs-{}-{number}", std::process::id());
        let peace = Mutex::new(Some(store.era.clone().read_owned().await));
        Self { store, lease, peace }
    }

    fn open(&self, lease: &str) -> Arc<dyn LeaseLock> {
        let (config, name) = RedisConfig::from_url(&self.store.url(lease)).unwrap();
        Arc::new(Redis::new(config).lock(name))
    }

    fn command(&self, words: &[&[u8]]) {
        let key = format!("leasehold:{}", self.lease);
        let words: Vec<&[u8]> =
            words.iter().map(|word| if *word == b"KEY" { key.as_bytes() } else { word }).collect();
        self.store.server(&self.lease).command(&words);
    }
}

impl Drop for RedisFixture {
    fn drop(&mut self) {
        self.command(&[b"DEL", b"KEY"]);
    }
}

#[async_trait]
impl Fixture for RedisFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&self.lease)
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        self.open(&format!("{}.nightly", self.lease))
    }

    fn lease_name(&self) -> String {
        self.lease.clone()
    }

    fn secrets(&self) -> Vec<String> {
        match &self.store.servers {
            Servers::One(server) => server.secrets(),
            Servers::Cluster(cluster) => cluster.secrets(),
            Servers::Sentinels(sentinels) => sentinels.secrets(),
        }
    }

    fn compares_era(&self) -> bool {
        true
    }

    async fn delete(&self) {
        self.command(&[b"DEL", b"KEY"]);
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        let bytes = garbage.bytes();
        self.command(&[b"HSET", b"KEY", b"record", &bytes]);
        if garbage == Garbage::AbsurdVersion {
            self.command(&[b"HSET", b"KEY", b"version", u64::MAX.to_string().as_bytes()]);
        }
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        let mut peace = self.peace.lock().await;
        *peace = None;
        let changed = {
            let _alone = self.store.era.write().await;
            self.store.server(&self.lease).try_command(&["DEBUG", "CHANGE-REPL-ID"])
        };
        *peace = Some(self.store.era.clone().read_owned().await);
        match changed {
            Ok(_) => Feat::Done,
            Err(_) => Feat::Impossible("this server is somebody's, and allows no DEBUG"),
        }
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        self.command(&[b"HSET", b"KEY", b"label", b"somebody else's"]);
        Feat::Done
    }
}
