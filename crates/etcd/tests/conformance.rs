//! The contract, one test for each sentence: on one member, and under TLS with certificates of
//! clients and a user of few rights.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use leasehold_core::LeaseLock;
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
    etcd::{EtcdOptions, EtcdServer},
};

conformance!(one_member, EtcdFixture::new(&ONE).await);
conformance!(tls_and_auth, EtcdFixture::new(&SECURED).await);

static ONE: LazyLock<Store> = LazyLock::new(|| Store::One(Box::new(EtcdServer::start().unwrap())));
static SECURED: LazyLock<Store> = LazyLock::new(|| {
    Store::One(Box::new(EtcdOptions::new().client_certificates().auth().start().unwrap()))
});

/// Servers that all tests share, started by the first.
enum Store {
    One(Box<EtcdServer>),
}

impl Store {
    fn url(&self, lease: &str) -> String {
        match self {
            Self::One(server) => server.url(lease),
        }
    }

    fn server(&self) -> &EtcdServer {
        match self {
            Self::One(server) => server,
        }
    }
}

struct EtcdFixture {
    store: &'static Store,
    lease: String,
}

impl EtcdFixture {
    async fn new(store: &'static LazyLock<Store>) -> Self {
        static LEASES: AtomicU64 = AtomicU64::new(0);
        // To start servers blocks.
        let store = tokio::task::spawn_blocking(|| &**store).await.unwrap();
        // An address from the environment knows the leases of earlier runs.
        let number = LEASES.fetch_add(1, Ordering::Relaxed);
        Self { store, lease: format!("jobs-{}-{number}", std::process::id()) }
    }

    fn open(&self, lease: &str) -> Arc<dyn LeaseLock> {
        Arc::new(common::lock(&self.store.url(lease)))
    }

    fn key(&self) -> String {
        format!("leasehold/{}", self.lease)
    }

    async fn put(&self, value: &[u8]) {
        let mut client = common::client(&self.store.url(&self.lease)).await;
        client.put(self.key(), value, None).await.unwrap();
    }
}

impl Drop for EtcdFixture {
    fn drop(&mut self) {
        self.store.server().etcdctl(&["del", &self.key()]);
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
        self.store.server().secrets()
    }

    fn compares_era(&self) -> bool {
        false
    }

    async fn delete(&self) {
        self.store.server().etcdctl(&["del", &self.key()]);
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        if garbage == Garbage::AbsurdVersion {
            return Feat::Impossible("etcd counts its revisions itself");
        }
        self.put(&garbage.bytes()).await;
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        Feat::Impossible("only a restore makes etcd another one: tests/memory.rs")
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        Feat::Impossible("a key of etcd has a value, and nothing else")
    }
}
