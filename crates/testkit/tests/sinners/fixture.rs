use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use leasehold_core::LeaseLock;
use leasehold_testkit::conformance::{Feat, Fixture, Garbage, MemoryFixture};

use super::sinner::{Shared, Sin, Sinner};

/// A lease in memory whose every handle commits the sin.
pub(crate) struct SinfulFixture {
    inner: MemoryFixture,
    sin: Option<Sin>,
    shared: Arc<Mutex<Shared>>,
}

impl SinfulFixture {
    pub(crate) fn new(sin: Option<Sin>) -> Self {
        Self { inner: MemoryFixture::new(), sin, shared: Arc::default() }
    }

    fn sinner(&self, inner: Arc<dyn LeaseLock>) -> Arc<dyn LeaseLock> {
        Arc::new(Sinner { inner, sin: self.sin, shared: self.shared.clone() })
    }
}

#[async_trait]
impl Fixture for SinfulFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        self.sinner(self.inner.lock().await)
    }
    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        self.sinner(self.inner.other_lock().await)
    }
    fn lease_name(&self) -> String {
        self.inner.lease_name()
    }
    fn secrets(&self) -> Vec<String> {
        vec!["hunter2".into()]
    }
    fn compares_era(&self) -> bool {
        true
    }
    async fn delete(&self) {
        self.inner.delete().await;
    }
    async fn garble(&self, garbage: Garbage) -> Feat {
        self.inner.garble(garbage).await
    }
    async fn renew_era(&self) -> Feat {
        self.inner.renew_era().await
    }
    async fn forget(&self) -> Feat {
        self.inner.forget().await
    }
    async fn touch(&self) -> Feat {
        self.inner.touch().await
    }
}
