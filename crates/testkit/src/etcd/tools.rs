use std::{net::SocketAddr, path::Path};

use super::{EtcdOptions, ServerError, users::Login};
use crate::server::tls;

/// What an operator's tool said when it failed.
#[derive(Debug, thiserror::Error)]
#[error("{tool}: {said}")]
pub struct ToolError {
    /// Which of them.
    pub(super) tool: &'static str,
    pub(super) said: String,
}

impl ToolError {
    pub(super) fn new(tool: &'static str, error: impl ToString) -> Self {
        Self { tool, said: error.to_string() }
    }
}

impl From<ToolError> for ServerError {
    fn from(error: ToolError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// The words that tell `etcdctl` where the server is, and who it is that asks.
pub(super) fn common(
    address: SocketAddr,
    options: &EtcdOptions,
    directory: Option<&Path>,
    login: Option<&Login>,
) -> Vec<String> {
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let mut words = vec![
        format!("--endpoints={scheme}://{address}"),
        "--command-timeout=5s".to_owned(),
        "--dial-timeout=5s".to_owned(),
    ];
    if let (Some(tls), Some(directory)) = (&options.tls, directory) {
        let file = |name| directory.join(name).display().to_string();
        words.push(format!("--cacert={}", file(tls::CA)));
        if tls.both_sides {
            words.push(format!("--cert={}", file(tls::CLIENT_CERTIFICATE)));
            words.push(format!("--key={}", file(tls::CLIENT_KEY)));
        }
    }
    if let Some(Login { user, password }) = login {
        words.extend([format!("--user={user}"), format!("--password={password}")]);
    }
    words
}
