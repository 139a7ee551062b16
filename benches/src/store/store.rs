use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{
    given::Given,
    kind::{Host, Kind},
    link::Link,
};
use crate::{Options, monotonic, program::Peer};

/// One store of a run. What was started for it ends with it.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) proves_death: bool,
    /// What else is measured on stores of its kind.
    pub(crate) peers: &'static [Peer],
    /// How many leases at the timing of a bench it takes without being felt.
    pub(crate) side_by_side: f64,
    /// How long it is away when it is killed and started again, about.
    pub(crate) away: Duration,
    /// Why it cannot be killed and started again, where that is so.
    pub(crate) no_restart: Option<String>,
    /// Whether it tells what it is asked for.
    pub(crate) counts_requests: bool,
    host: Arc<dyn Host>,
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
        let name = kind.map_or(scheme, |kind| kind.name.to_owned());
        Ok(Self::of(kind, name, Box::new(given)))
    }

    async fn started(kind: &'static Kind) -> Result<Self> {
        let start = kind.start.context("a store that cannot be started")?;
        let host = tokio::task::spawn_blocking(start).await.context("starting it broke")?;
        let host = host.with_context(|| format!("could not start a store: {}", kind.name))?;
        Ok(Self::of(Some(kind), kind.name.to_owned(), host))
    }

    fn of(kind: Option<&'static Kind>, name: String, host: Box<dyn Host>) -> Self {
        const SIDE_BY_SIDE: f64 = 20.0;
        Self {
            name,
            proves_death: kind.is_some_and(|kind| kind.proves_death),
            peers: kind.map_or(&[], |kind| kind.peers),
            side_by_side: kind.map_or(SIDE_BY_SIDE, |kind| kind.side_by_side),
            away: kind.map_or(Duration::ZERO, |kind| kind.away),
            no_restart: host.may_restart().err(),
            counts_requests: host.requests().is_some(),
            host: host.into(),
        }
    }

    /// Kills its server, all of its members, and starts it again; says when the kill came, and when it
    /// was back.
    ///
    /// # Errors
    /// It did not come back.
    pub(crate) async fn restart(&self) -> Result<(u64, u64)> {
        let host = self.host.clone();
        let restarted = tokio::task::spawn_blocking(move || {
            let killed = monotonic();
            host.restart();
            (killed, monotonic())
        });
        restarted.await.with_context(|| format!("{} could not be started again", self.name))
    }

    /// What it has been asked for since it was started, by its own count.
    pub(crate) async fn requests(&self) -> Result<f64> {
        let host = self.host.clone();
        let asked = tokio::task::spawn_blocking(move || host.requests());
        let asked = asked.await.with_context(|| format!("{} does not tell", self.name))?;
        asked.with_context(|| format!("{} does not count", self.name))
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
        self.host.link(lease)
    }
}
