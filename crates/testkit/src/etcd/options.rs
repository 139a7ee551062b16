use std::fmt;

use super::{EtcdServer, ServerError};
use crate::server::tls::Tls;

/// What a server is to be like. Without any of it, everybody may do everything, without TLS.
///
/// Options are cheap to clone, and clones share their certificates.
#[derive(Clone, Default)]
#[must_use]
pub struct EtcdOptions {
    pub(super) own: bool,
    pub(super) tls: Option<Tls>,
    pub(super) auto_tls: bool,
    pub(super) auth: bool,
    pub(super) synced: bool,
    pub(super) arguments: Vec<String>,
}

impl EtcdOptions {
    /// None of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// A server that nobody else uses: one to be frozen, killed, emptied or configured, so never the
    /// one that LEASEHOLD_ETCD_URL names. All options below say the same.
    pub fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// TLS and nothing else, with a certificate for 127.0.0.1 and localhost by an authority of its
    /// own: [`EtcdServer::ca`].
    ///
    /// # Panics
    /// If no certificate can be made, for which no reason is known.
    pub fn tls(mut self) -> Self {
        self.tls = Some(Tls::new(false).expect("a certificate can be made"));
        self.own()
    }

    /// TLS with the certificate that etcd makes for itself (`--auto-tls`), and that nobody can trust.
    pub fn auto_tls(mut self) -> Self {
        self.auto_tls = true;
        self.argument("--auto-tls")
    }

    /// As [`Self::tls`], and clients must show a certificate too: the URL names it.
    ///
    /// # Panics
    /// As [`Self::tls`].
    pub fn client_certificates(mut self) -> Self {
        self.tls = Some(Tls::new(true).expect("a certificate can be made"));
        self.own()
    }

    /// Users with passwords: `root`, and `leasehold`, who may read and write what is under
    /// `leasehold/`. [`EtcdServer::etcdctl`] is root's, the URL is the candidate's.
    pub fn auth(mut self) -> Self {
        self.auth = true;
        self.own()
    }

    /// How many seconds an unused token of a user is valid (unset: 300). Each use prolongs it.
    pub fn token_lifetime(self, seconds: u32) -> Self {
        self.argument(format!("--auth-token-ttl={seconds}"))
    }

    /// How many bytes its data may have until it refuses writes (NOSPACE). It counts them when it
    /// commits them to its file, ten times a second.
    pub fn quota(self, bytes: u64) -> Self {
        self.argument(format!("--quota-backend-bytes={bytes}"))
    }

    /// What was written is on the disk before it is confirmed, as in production.
    pub fn synced(mut self) -> Self {
        self.synced = true;
        self.own()
    }

    /// An argument of the program, after all others, such as `--snapshot-count=100`. That the server
    /// is ready is seen in what it logs at the level `info`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self.own()
    }

    pub(super) const fn over_tls(&self) -> bool {
        self.tls.is_some() || self.auto_tls
    }

    /// Starts it, and returns when it answers.
    ///
    /// # Errors
    /// If there is no server to be had on this machine (the error says how to get one), or it does not
    /// start with these options (the error has the end of its log).
    pub fn start(self) -> Result<EtcdServer, ServerError> {
        EtcdServer::with(self)
    }
}

impl fmt::Debug for EtcdOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdOptions")
            .field("own", &self.own)
            .field("tls", &self.over_tls())
            .field("auth", &self.auth)
            .field("synced", &self.synced)
            .field("arguments", &self.arguments)
            .finish()
    }
}
