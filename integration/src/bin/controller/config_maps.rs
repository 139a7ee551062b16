//! The ConfigMaps of a namespace as objects.

use std::{io, pin::pin, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, ResourceExt,
    api::PostParams,
    runtime::{WatchStreamExt, watcher},
};
use leasehold::FencingToken;
use tokio::time::timeout;

use crate::{
    object,
    place::{Place, Tell},
};

/// A write that is not answered is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every write names the version that was seen: who writes late, or upon what another has made, is refused.
pub(crate) struct ConfigMaps(Api<ConfigMap>);

impl ConfigMaps {
    /// Found as `kubectl` finds it.
    pub(crate) async fn open(namespace: &str) -> io::Result<Self> {
        let client = Client::try_default().await.map_err(io::Error::other)?;
        Ok(Self(Api::namespaced(client, namespace)))
    }
}

#[async_trait]
impl Place for ConfigMaps {
    async fn follow(&self, mut tell: Tell) {
        let mut changes =
            pin!(watcher(self.0.clone(), watcher::Config::default()).default_backoff());
        while let Some(event) = changes.next().await {
            match event {
                Ok(event) => tell(event),
                Err(error) => eprintln!("ConfigMaps: {error}"),
            }
        }
    }

    async fn make(&self, seen: &ConfigMap, token: FencingToken) -> io::Result<()> {
        let mut object = seen.clone();
        let made = object::wanted(seen).unwrap_or_default().to_owned();
        object::set_made(&mut object, made, token);
        let (name, parameters) = (seen.name_any(), PostParams::default());
        let written = timeout(PATIENCE, self.0.replace(&name, &parameters, &object)).await;
        written?.map_err(io::Error::other)?;
        Ok(())
    }
}
