//! The contract, one test for each sentence: on one member, under TLS with certificates of clients
//! and a user of few rights, and on three members.

use std::{
    env,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use leasehold_core::LeaseLock;
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
    etcd::{EtcdCluster, EtcdOptions, EtcdServer, Restore},
};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, RwLock};

conformance!(one_member, EtcdFixture::new(&ONE).await);
conformance!(tls_and_auth, EtcdFixture::new(&SECURED).await);
conformance!(three_members, EtcdFixture::new(&THREE).await);

static ONE: LazyLock<Store> =
    LazyLock::new(|| Store::new(Servers::One(Box::new(EtcdServer::start().unwrap()))));
static SECURED: LazyLock<Store> = LazyLock::new(|| {
    let server = EtcdOptions::new().client_certificates().auth().start();
    Store::new(Servers::One(Box::new(server.unwrap())))
});
static THREE: LazyLock<Store> =
    LazyLock::new(|| Store::new(Servers::Three(Box::new(EtcdCluster::start().unwrap()))));

/// Servers that all tests share, started by the first.
struct Store {
    servers: Servers,
    /// Held for reading by each test. Whoever changes the servers' era lets go of it, and writes:
    /// so the era of the others' tests stays.
    era: Arc<RwLock<()>>,
}

enum Servers {
    One(Box<EtcdServer>),
    Three(Box<EtcdCluster>),
}

impl Store {
    fn new(servers: Servers) -> Self {
        Self { servers, era: Arc::default() }
    }

    fn url(&self, lease: &str) -> String {
        match &self.servers {
            Servers::One(server) => server.url(lease),
            Servers::Three(cluster) => cluster.url(lease),
        }
    }

    fn member(&self) -> &EtcdServer {
        match &self.servers {
            Servers::One(server) => server,
            Servers::Three(cluster) => cluster.member(2),
        }
    }

    /// Makes it another one with the same data.
    fn restore(&self) {
        let snapshot = self.member().run_directory().join("snapshot.db");
        let how = Restore::new().new_cluster();
        match &self.servers {
            Servers::One(server) => {
                server.snapshot(&snapshot).unwrap();
                server.restore(&snapshot, &how);
            }
            Servers::Three(cluster) => {
                cluster.snapshot(&snapshot).unwrap();
                cluster.restore(&snapshot, &how);
            }
        }
    }
}

struct EtcdFixture {
    store: &'static Store,
    lease: String,
    peace: Mutex<Option<OwnedRwLockReadGuard<()>>>,
}

impl EtcdFixture {
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
        Arc::new(crate::common::lock(&self.store.url(lease)))
    }

    fn key(&self) -> String {
        format!("leasehold/{}", self.lease)
    }

    async fn put(&self, value: &[u8]) {
        let mut client = crate::common::client(&self.store.url(&self.lease)).await;
        client.put(self.key(), value, None).await.unwrap();
    }
}

impl Drop for EtcdFixture {
    fn drop(&mut self) {
        self.store.member().etcdctl(&["del", &self.key()]);
    }
}

#[async_trait]
impl Fixture for EtcdFixture {
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
        self.store.member().secrets()
    }

    fn compares_era(&self) -> bool {
        false
    }

    async fn delete(&self) {
        self.store.member().etcdctl(&["del", &self.key()]);
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        if garbage == Garbage::AbsurdVersion {
            return Feat::Impossible("etcd counts its revisions itself");
        }
        self.put(&garbage.bytes()).await;
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        if env::var_os("LEASEHOLD_ETCD_URL").is_some() {
            return Feat::Impossible("this etcd is somebody's, and is restored by nobody else");
        }
        let mut peace = self.peace.lock().await;
        *peace = None;
        let store = self.store;
        {
            let _alone = store.era.write().await;
            tokio::task::spawn_blocking(|| store.restore()).await.unwrap();
        }
        *peace = Some(store.era.clone().read_owned().await);
        Feat::Done
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    /// A new revision of the same value.
    async fn touch(&self) -> Feat {
        let mut client = crate::common::client(&self.store.url(&self.lease)).await;
        let kept = client.get(self.key(), None).await.unwrap();
        self.put(kept.kvs()[0].value()).await;
        Feat::Done
    }
}
