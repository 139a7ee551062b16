use std::{io, net::SocketAddr};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is none to be had on this machine.
    #[error(
        "no Redis to test against: {found}. One of these helps: \
         (1) a server of yours, whose address is in LEASEHOLD_REDIS_URL=redis://host:port (for tests \
         that do not freeze, kill or configure it); \
         (2) the program redis-server or valkey-server, version 7 or newer, on the PATH or at the path \
         in LEASEHOLD_REDIS_SERVER (Debian: apt-get install redis-server); \
         (3) Docker, and the image that LEASEHOLD_REDIS_IMAGE names, redis:7 unless set (with the \
         feature `containers`). \
         `integration/setup` of the project finds or installs one of them"
    )]
    Missing {
        /// What was looked for, and not found.
        found: String,
    },
    /// A variable of the environment has a value that means nothing.
    #[error("{variable}: {reason}")]
    Setting {
        /// Its name.
        variable: &'static str,
        /// What is wrong with its value, which is not repeated: it may hold a password.
        reason: String,
    },
    /// The server that LEASEHOLD_REDIS_URL names does not answer, or not as it should.
    #[error("the server at {address}, which LEASEHOLD_REDIS_URL names, does not answer: {source}")]
    Unreachable {
        /// Its address.
        address: SocketAddr,
        /// What happened.
        source: ::redis::RedisError,
    },
    /// It ended when it was started.
    #[error("the server ended at its start. The last that it said:\n{log}")]
    Ended {
        /// The end of its log.
        log: String,
    },
    /// It was started and was not ready in time.
    #[error("the server was not ready in time: {waited_for}. The last that it said:\n{log}")]
    Late {
        /// What did not happen.
        waited_for: String,
        /// The end of its log.
        log: String,
    },
    /// It answered with an error while it was set up.
    #[error("the server, while it was set up: {0}")]
    Refused(#[from] ::redis::RedisError),
    /// The system.
    #[error(transparent)]
    Io(#[from] io::Error),
}
