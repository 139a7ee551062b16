use std::{fmt, str::FromStr, sync::Arc};

use anyhow::Result;
use leasehold_core::{LeaseLock, LeaseName, MemoryStore};

/// Where the leases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// A mutex in this process.
    Memory,
    /// An etcd that is started for this, of so many members.
    #[cfg(feature = "etcd")]
    Etcd { members: usize },
}

/// A store for many leases, which all use one client of it.
pub(crate) trait Store {
    fn lock(&self, name: LeaseName) -> Arc<dyn LeaseLock>;

    /// What it has been asked, and what it has used, until now. None of what is in this process.
    fn spent(&self) -> Option<Spent>;
}

/// What a server has done since it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// Messages of its clients, on streams too.
    pub(crate) requests: f64,
    /// Seconds of processors, of all members together; none where they are not on this host.
    pub(crate) cpu: Option<f64>,
}

impl StoreKind {
    pub(crate) fn start(self) -> Result<Box<dyn Store>> {
        match self {
            Self::Memory => Ok(Box::new(MemoryStore::new())),
            #[cfg(feature = "etcd")]
            Self::Etcd { members } => crate::etcd::start(members),
        }
    }
}

impl Store for MemoryStore {
    fn lock(&self, name: LeaseName) -> Arc<dyn LeaseLock> {
        Arc::new(Self::lock(self, name))
    }

    fn spent(&self) -> Option<Spent> {
        None
    }
}

impl FromStr for StoreKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "memory" => Ok(Self::Memory),
            #[cfg(feature = "etcd")]
            "etcd" => Ok(Self::Etcd { members: 3 }),
            #[cfg(feature = "etcd")]
            "etcd-single" => Ok(Self::Etcd { members: 1 }),
            #[cfg(not(feature = "etcd"))]
            "etcd" | "etcd-single" => {
                Err("this bench was built without it: add --features etcd".into())
            }
            _ => Err("the stores are memory, etcd, etcd-single".into()),
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            #[cfg(feature = "etcd")]
            Self::Etcd { members } => write!(f, "etcd of {members} members"),
        }
    }
}
