use anyhow::{Context, Result};

use super::{
    given::Given,
    kind::{Host, Kind},
    link::Link,
};
use crate::{Options, program::Peer};

/// One store of a run. What was started for it ends with it.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) proves_death: bool,
    /// What else is measured on stores of its kind.
    pub(crate) peers: &'static [Peer],
    host: Box<dyn Host>,
}

impl Store {
    /// The stores that were asked for, ready.
    pub(crate) async fn all(options: &Options) -> Result<Vec<Self>> {
        if let Some(url) = &options.url {
            return Ok(vec![Self::given(url)?]);
        }
        let mut stores = Vec::new();
        for kind in Kind::asked_for(&options.stores) {
            stores.push(Self::started(kind).await?);
        }
        Ok(stores)
    }

    /// The one that a URL names.
    pub(crate) fn given(url: &str) -> Result<Self> {
        let (given, scheme) = Given::new(url)?;
        let kind = Kind::of_scheme(&scheme);
        Ok(Self {
            name: kind.map_or(scheme, |kind| kind.name.to_owned()),
            proves_death: kind.is_some_and(|kind| kind.proves_death),
            peers: kind.map_or(&[], |kind| kind.peers),
            host: Box::new(given),
        })
    }

    async fn started(kind: &'static Kind) -> Result<Self> {
        let start = kind.start.context("a store that cannot be started")?;
        let host = tokio::task::spawn_blocking(start).await.context("starting it broke")?;
        Ok(Self {
            name: kind.name.to_owned(),
            proves_death: kind.proves_death,
            peers: kind.peers,
            host: host.with_context(|| format!("could not start a store: {}", kind.name))?,
        })
    }

    /// The URL of a lease of this name.
    pub(crate) fn url(&self, lease: &str) -> Result<String> {
        self.host.url(lease)
    }

    /// What it is and where, for people; never a secret.
    pub(crate) fn describe(&self) -> String {
        self.host.describe()
    }

    /// The link that can be put between a candidate and the store, or why there is none.
    pub(crate) fn link(&self, lease: &str) -> Result<Link, String> {
        Link::of(&self.url(lease).map_err(|error| error.to_string())?)
    }
}
