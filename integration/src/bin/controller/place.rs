//! Where objects are, and late writes are refused, or come to nothing.

use std::io;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::Event;
use leasehold::FencingToken;

pub(crate) type Tell = Box<dyn FnMut(Event<ConfigMap>) + Send>;

#[async_trait]
pub(crate) trait Place: Send + Sync + 'static {
    /// Tells of all objects, and then of each change, without an end.
    async fn follow(&self, tell: Tell);

    /// Makes what is wanted of an object as it was seen.
    async fn make(&self, seen: &ConfigMap, token: FencingToken) -> io::Result<()>;
}
