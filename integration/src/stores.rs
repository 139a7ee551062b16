use std::{net::SocketAddr, sync::Arc};

use leasehold::{LeaseLock, connect, create_free};
use tempfile::TempDir;
use tokio::task::{JoinSet, block_in_place};

type UrlThrough = dyn Fn(SocketAddr) -> String + Send + Sync;

/// One lease in one of the stores that there are: a directory always, the others with their features.
#[derive(Clone)]
pub struct Store {
    name: &'static str,
    url: String,
    /// None if there is no way to it that could be cut.
    way: Option<(SocketAddr, Arc<UrlThrough>)>,
    _directory: Option<Arc<TempDir>>,
}

impl Store {
    /// The URL of the lease.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the store is, and what the URL is through a proxy; none where nothing is between.
    pub fn way(&self) -> Option<(SocketAddr, impl Fn(SocketAddr) -> String)> {
        let (address, url) = self.way.as_ref()?;
        Some((*address, |proxy| url(proxy)))
    }

    /// The lease, as its users have it.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn lock(&self) -> Arc<dyn LeaseLock> {
        connect(&self.url).await.unwrap_or_else(|error| panic!("{error}"))
    }

    fn file() -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let url = format!("file://{}/jobs", directory.path().display());
        Self { name: "file", url, way: None, _directory: Some(directory) }
    }

    #[cfg(any(feature = "etcd", feature = "kubernetes", feature = "redis"))]
    fn server(
        name: &'static str,
        address: SocketAddr,
        url: impl Fn(SocketAddr) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { name, url: url(address), way: Some((address, Arc::new(url))), _directory: None }
    }
}

/// All of them, each with a lease of this name.
#[cfg_attr(
    not(any(feature = "etcd", feature = "kubernetes", feature = "redis")),
    allow(unused_variables, reason = "a directory is of one test alone")
)]
fn stores(lease: &'static str) -> Vec<Store> {
    vec![
        Store::file(),
        #[cfg(feature = "redis")]
        {
            let server = own::redis();
            Store::server("redis", server.address(), move |way| server.url_through(way, lease))
        },
        #[cfg(feature = "etcd")]
        {
            let server = own::etcd();
            Store::server("etcd", server.address(), move |way| {
                // Of its own: who watches a prefix is told of all the leases under it.
                format!("{}?prefix={lease}%2F", server.url_through(way, lease))
            })
        },
        #[cfg(feature = "kubernetes")]
        {
            let server = leasehold_testkit::kubernetes::Apiserver::shared();
            Store::server("kubernetes", server.address(), move |way| server.url_through(way, lease))
        },
    ]
}

#[cfg(any(feature = "etcd", feature = "redis"))]
mod own {
    use std::sync::LazyLock;

    #[cfg(feature = "redis")]
    pub(super) fn redis() -> &'static leasehold_testkit::redis::RedisServer {
        use leasehold_testkit::redis::{RedisOptions, RedisServer};
        static SERVER: LazyLock<RedisServer> = LazyLock::new(|| {
            RedisOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
        });
        &SERVER
    }

    #[cfg(feature = "etcd")]
    pub(super) fn etcd() -> &'static leasehold_testkit::etcd::EtcdServer {
        use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};
        static SERVER: LazyLock<EtcdServer> = LazyLock::new(|| {
            EtcdOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
        });
        &SERVER
    }
}

/// Does the same to a free lease of this name in all of them, side by side.
///
/// # Panics
/// If it panics on one of them.
pub async fn on_every_store<F>(lease: &'static str, test: impl Fn(Store) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stores = block_in_place(|| stores(lease));
    for store in &stores {
        create_free(&store.lock().await).await.unwrap_or_else(|error| panic!("{error}"));
    }
    on_all(stores, test).await;
}

/// The same where there is no lease of this name.
///
/// # Panics
/// If it panics on one of them.
pub async fn on_every_empty_store<F>(lease: &'static str, test: impl Fn(Store) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    on_all(block_in_place(|| stores(lease)), test).await;
}

async fn on_all<F>(stores: Vec<Store>, test: impl Fn(Store) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut all = JoinSet::new();
    for store in stores {
        let name = store.name;
        let test = tokio::spawn(test(store));
        all.spawn(async move { (name, test.await) });
    }
    let failed: Vec<_> =
        all.join_all().await.into_iter().filter(|(_, ended)| ended.is_err()).collect();
    assert!(failed.is_empty(), "on {failed:?}");
}
