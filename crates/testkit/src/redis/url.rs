use std::{net::SocketAddr, path::Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{config::SOCKET, credentials::Login, options::RedisOptions, tls};

/// What needs no encoding anywhere in a URL.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ENCODED_IN_A_PATH: AsciiSet = ENCODED.remove(b'/');

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

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
    let Some(tls) = &options.tls else { return (format!("redis{kind}"), Vec::new()) };
    let file = |name| path(&directory.join(name));
    let mut query = vec![format!("ca={}", file(tls::CA))];
    if tls.both_sides {
        query.push(format!("cert={}", file(tls::CLIENT_CERTIFICATE)));
        query.push(format!("key={}", file(tls::CLIENT_KEY)));
    }
    (format!("rediss{kind}"), query)
}

/// `user:password@`, where there is any.
pub(super) fn before_the_host(login: Login<'_>) -> String {
    login.map_or_else(String::new, |(user, password)| {
        format!("{}:{}@", encoded(user.unwrap_or_default()), encoded(password))
    })
}

/// As many as there are, with commas.
pub(super) fn hosts(addresses: impl IntoIterator<Item = SocketAddr>) -> String {
    addresses.into_iter().map(|address| address.to_string()).collect::<Vec<_>>().join(",")
}

pub(super) fn question(query: &[String]) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}

fn path(path: &Path) -> String {
    utf8_percent_encode(&path.to_string_lossy(), &ENCODED_IN_A_PATH).to_string()
}
