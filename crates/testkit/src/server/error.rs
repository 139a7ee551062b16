use std::{error::Error, io, net::SocketAddr};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is none to be had on this machine.
    #[error("no {store} to test against: {found}. {advice}")]
    Missing {
        /// Of which there is none.
        store: &'static str,
        /// What was looked for, and not found.
        found: String,
        /// How to get one.
        advice: String,
    },
    /// A variable of the environment has a value that means nothing.
    #[error("{variable}: {reason}")]
    Setting {
        /// Its name.
        variable: &'static str,
        /// What is wrong with its value, which is not repeated: it may hold a password.
        reason: String,
    },
    /// The server that the environment names does not answer, or not as it should.
    #[error("the server at {address}, which {variable} names, does not answer: {source}")]
    Unreachable {
        /// Its address.
        address: SocketAddr,
        /// The variable that names it.
        variable: &'static str,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
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
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[cfg(feature = "redis")]
impl From<::redis::RedisError> for ServerError {
    fn from(error: ::redis::RedisError) -> Self {
        Self::Refused(Box::new(error))
    }
}
