use std::{
    ffi::{OsStr, OsString},
    fmt,
    net::SocketAddr,
};

use super::{RedisServer, ServerError, credentials::Credentials};
use crate::server::tls::Tls;

/// What a server is to be like. Without any of it, everybody may do everything, over TCP, and nothing
/// is written to disk.
///
/// Options are cheap to clone, and clones share their certificates.
#[derive(Clone, Default)]
#[must_use]
pub struct RedisOptions {
    pub(super) own: bool,
    pub(super) tls: Option<Tls>,
    pub(super) credentials: Credentials,
    pub(super) unix_socket: bool,
    pub(super) cluster: bool,
    pub(super) lines: Vec<String>,
    /// Each of the form `NAME=VALUE`.
    pub(super) environment: Vec<OsString>,
    pub(super) replica_of: Option<SocketAddr>,
    pub(super) sentinel_of: Option<Watched>,
}

/// What a sentinel watches.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) master: SocketAddr,
    pub(super) credentials: Credentials,
}

impl RedisOptions {
    /// None of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// A server that nobody else uses: one to be frozen, killed, emptied or configured, so never the
    /// one that LEASEHOLD_REDIS_URL names. All options below say the same.
    pub fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// TLS and nothing else, with a certificate for 127.0.0.1 and localhost by an authority of its
    /// own: [`RedisServer::ca`].
    ///
    /// # Panics
    /// If no certificate can be made, for which no reason is known.
    pub fn tls(mut self) -> Self {
        self.tls = Some(Tls::new(false).expect("a certificate can be made"));
        self.own()
    }

    /// As [`Self::tls`], and clients must show a certificate too: the URL names it.
    ///
    /// # Panics
    /// As [`Self::tls`].
    pub fn tls_with_client_certificates(mut self) -> Self {
        self.tls = Some(Tls::new(true).expect("a certificate can be made"));
        self.own()
    }

    /// Two users: `leasehold`, who has exactly the permissions that a candidate needs, and an operator.
    /// The default user is off. [`RedisServer::command`] is the operator's, the URL is the candidate's.
    pub fn acl(mut self) -> Self {
        self.credentials = Credentials::Users;
        self.own()
    }

    /// A password for the default user, who may do everything.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.credentials = Credentials::Password(password.into());
        self.own()
    }

    /// A unix socket too, which the URL then names.
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self.own()
    }

    /// A line of `redis.conf`, after all others. That the server is ready is seen in what it logs at
    /// the level `notice`.
    pub fn config_line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self.own()
    }

    /// A variable of the server's environment, such as `LD_PRELOAD`.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut pair = OsString::from(format!("{name}="));
        pair.push(value);
        self.environment.push(pair);
        self.own()
    }

    /// A replica of the server at this address, which may be a proxy's. It gives there the operator's
    /// name and password of its own options: have the options of both the same.
    pub fn replica_of(mut self, master: SocketAddr) -> Self {
        self.replica_of = Some(master);
        self.own()
    }

    /// Starts it, and returns when it answers.
    ///
    /// # Errors
    /// If there is no server to be had on this machine (the error says how to get one), or it does not
    /// start with these options (the error has the end of its log).
    pub fn start(self) -> Result<RedisServer, ServerError> {
        RedisServer::with(self)
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Lines and variables may hold passwords.
        f.debug_struct("RedisOptions")
            .field("own", &self.own)
            .field("tls", &self.tls.is_some())
            .field("unix_socket", &self.unix_socket)
            .field("replica_of", &self.replica_of)
            .finish_non_exhaustive()
    }
}
