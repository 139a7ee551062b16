use std::io;

use redis::RedisError;

/// What is found out here, and neither the server nor the client library says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A host has no address, by the system's words.
    #[error("{0}")]
    Unresolved(io::Error),
    /// A server that was named as one of a cluster's stands alone.
    #[error("cluster_enabled:0")]
    NoCluster,
}

impl From<Trouble> for RedisError {
    fn from(trouble: Trouble) -> Self {
        let kind = match &trouble {
            Trouble::Unresolved(cause) => cause.kind(),
            Trouble::NoCluster => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, trouble).into()
    }
}
