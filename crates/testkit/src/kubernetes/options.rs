use super::{Apiserver, ServerError};

/// What a server is to be like.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ApiserverOptions {
    pub(super) own: bool,
    pub(super) synced: bool,
    pub(super) arguments: Vec<String>,
}

impl ApiserverOptions {
    /// None of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// A server that nobody else uses: one to be frozen, killed or configured, so never the one that
    /// LEASEHOLD_KUBECONFIG names. All options below say the same.
    pub fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// What was written is on etcd's disk before it is confirmed, as in production.
    pub fn synced(mut self) -> Self {
        self.synced = true;
        self.own()
    }

    /// An argument of `kube-apiserver`, after all others, such as `--max-mutating-requests-inflight=1`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self.own()
    }

    /// Starts it, and returns when it is ready.
    ///
    /// # Errors
    /// If there is no server to be had on this machine (the error says how to get one), or it does not
    /// start with these options (the error has the end of its log).
    pub fn start(self) -> Result<Apiserver, ServerError> {
        Apiserver::with(self)
    }
}
