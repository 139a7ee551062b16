use std::{fmt, path::PathBuf, slice};

use leasehold_endpoint::HostPort;

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Tcp(HostPort),
    Unix(PathBuf),
}

impl Address {
    pub(crate) fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp(HostPort::new(host, port))
    }
}

/// As one reads it in an error: `10.0.0.5:6379`, `[::1]:6379`, `/run/redis.sock`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(place) => place.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// How the server that keeps the lease is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topology {
    /// It is always this one.
    Single(Address),
    /// The sentinels know which server is the master of this name.
    Sentinel { sentinels: Vec<Address>, master: String },
    /// Any server of a cluster knows which one keeps the lease's slot.
    Cluster { seeds: Vec<Address> },
}

impl Topology {
    /// Those that may keep leases, as far as they are named.
    pub(crate) fn servers(&self) -> &[Address] {
        match self {
            Self::Single(address) => slice::from_ref(address),
            Self::Sentinel { .. } => &[],
            Self::Cluster { seeds } => seeds,
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |f: &mut fmt::Formatter<'_>, addresses: &[Address]| {
            addresses.iter().enumerate().try_for_each(|(at, address)| {
                write!(f, "{}{address}", if at == 0 { "" } else { "," })
            })
        };
        match self {
            Self::Single(address) => address.fmt(f),
            Self::Sentinel { sentinels, master } => {
                write!(f, "sentinel master {master:?} at ")?;
                several(f, sentinels)
            }
            Self::Cluster { seeds } => {
                f.write_str("cluster at ")?;
                several(f, seeds)
            }
        }
    }
}
