use std::{net::SocketAddr, path::Path};

use super::{config::SOCKET, options::RedisOptions};
use crate::server::url::{before_the_host, encoded, files, path, question};

/// The URL of a lease at one server, as `leasehold::connect` takes it.
pub(super) fn of_a_server(
    options: &RedisOptions,
    address: SocketAddr,
    directory: &Path,
    lease: &str,
) -> String {
    let login = options.credentials.of_a_candidate();
    if options.unix_socket {
        let socket = path(&directory.join(SOCKET));
        let mut query = Vec::new();
        if let Some((user, password)) = login {
            query.extend(user.map(|user| format!("user={}", encoded(user))));
            query.push(format!("password={}", encoded(password)));
        }
        return format!("redis+unix://{socket}{}#{}", question(&query), encoded(lease));
    }
    let (scheme, query) = with_tls(options, directory, "");
    let (login, lease) = (before_the_host(login), encoded(lease));
    format!("{scheme}://{login}{address}{}#{lease}", question(&query))
}

/// The scheme, plain or over TLS, and what the query then holds.
pub(super) fn with_tls(
    options: &RedisOptions,
    directory: &Path,
    kind: &str,
) -> (String, Vec<String>) {
    options.tls.as_ref().map_or_else(
        || (format!("redis{kind}"), Vec::new()),
        |tls| (format!("rediss{kind}"), files(tls, directory)),
    )
}
