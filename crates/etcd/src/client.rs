use std::{fmt, sync::Arc};

use etcd_client::KvClient;
use futures::future::BoxFuture;
use leasehold_core::{Error, LeaseName};
use leasehold_endpoint::{Connection as _, within};

use crate::{
    EtcdConfig, EtcdLock, connection::Host, error, hub::Hub, rotation::Rotation, trouble::Trouble,
};

/// What to do where nothing is answered.
const SILENCE: &str = "see whether etcd is overloaded, frozen or without a majority";

/// One etcd, with however many members, for any number of leases: they share one connection, and
/// one watch.
///
/// ```
/// # async fn example() -> Result<(), leasehold_core::Error> {
/// use leasehold_core::LeaseName;
/// use leasehold_etcd::{Etcd, EtcdConfig};
///
/// let etcd = Etcd::new(EtcdConfig::new([("10.0.0.5", 2379)])?);
/// let jobs = etcd.lock(LeaseName::new("jobs")?);
/// let backups = etcd.lock(LeaseName::new("backups")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Etcd {
    shared: Arc<Shared>,
}

struct Shared {
    config: EtcdConfig,
    rotation: Rotation,
    hub: Hub,
}

impl Etcd {
    /// The etcd that the configuration names. Nothing is connected before a lock is used.
    pub fn new(config: EtcdConfig) -> Self {
        let hosts = config
            .clients()
            .into_iter()
            .map(|client| Arc::new(Host::new(client.address().clone(), client)));
        let rotation = Rotation::new(hosts.collect());
        Self { shared: Arc::new(Shared { config, rotation, hub: Hub::default() }) }
    }

    /// The lock on the lease of this name.
    pub fn lock(&self, name: LeaseName) -> EtcdLock {
        EtcdLock::new(self.clone(), &name)
    }

    pub(crate) fn config(&self) -> &EtcdConfig {
        &self.shared.config
    }

    pub(crate) fn rotation(&self) -> &Rotation {
        &self.shared.rotation
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// Sends a request to the member that answered last, or to the next one if it does not any more.
    ///
    /// It is sent a second time only where nothing can have come of the first: nobody was there,
    /// etcd refused before it did anything, or it was to be read only.
    ///
    /// # Errors
    /// etcd refuses, or it is unknown what it did.
    pub(crate) async fn ask<T: Send>(
        &self,
        operation: &str,
        effect: Effect,
        request: impl Fn(KvClient) -> BoxFuture<'static, Result<T, etcd_client::Error>> + Send + Sync,
    ) -> Result<T, Error> {
        within(operation, SILENCE, async {
            let mut others = self.rotation().len() - 1;
            let (mut logged_in_anew, mut opened_anew) = (false, false);
            loop {
                let visit = self.rotation().visit();
                let address = visit.host.address.clone();
                let (trouble, nothing_was_done) = match visit.connection().await {
                    Err(trouble) => (trouble, true),
                    Ok(connection) => match connection.ask(&request).await {
                        Ok(answer) => {
                            visit.ends(true);
                            return Ok(answer);
                        }
                        Err(trouble) if trouble.is_a_login_that_ended() && !logged_in_anew => {
                            logged_in_anew = true;
                            connection.retire();
                            visit.ends(true);
                            continue;
                        }
                        // It may have ended long ago, and nobody was there to see it.
                        Err(Trouble::Broke(_)) if effect == Effect::None && !opened_anew => {
                            opened_anew = true;
                            visit.ends(true);
                            continue;
                        }
                        Err(trouble) => {
                            let unheard = trouble.is_a_refusal_to_listen();
                            (trouble, unheard || effect == Effect::None)
                        }
                    },
                };
                let another_may_do_better = trouble.is_the_members();
                visit.ends(!another_may_do_better);
                if !(nothing_was_done && another_may_do_better) || others == 0 {
                    return Err(error::failed(operation, &address, &trouble, self.config()));
                }
                others -= 1;
            }
        })
        .await
    }
}

/// What a request does at etcd.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It reads.
    None,
    /// It writes, perhaps.
    Some,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}
