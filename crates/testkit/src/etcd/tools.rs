use std::{net::SocketAddr, path::Path};

use super::{EtcdOptions, users::Login};
use crate::server::tls;

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
