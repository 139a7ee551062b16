use std::{net::SocketAddr, path::Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::tls::{self, Tls};

/// What needs no encoding anywhere in a URL.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ENCODED_IN_A_PATH: AsciiSet = ENCODED.remove(b'/');

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

pub(crate) fn path(path: &Path) -> String {
    utf8_percent_encode(&path.to_string_lossy(), &ENCODED_IN_A_PATH).to_string()
}

/// `user:password@`, where there is any.
pub(crate) fn before_the_host(login: Option<(Option<&str>, &str)>) -> String {
    login.map_or_else(String::new, |(user, password)| {
        format!("{}:{}@", encoded(user.unwrap_or_default()), encoded(password))
    })
}

/// As many as there are, with commas.
pub(crate) fn hosts(addresses: impl IntoIterator<Item = SocketAddr>) -> String {
    addresses.into_iter().map(|address| address.to_string()).collect::<Vec<_>>().join(",")
}

/// Which files a client needs that are in the directory of a server.
pub(crate) fn files(tls: &Tls, directory: &Path) -> Vec<String> {
    let file = |name| path(&directory.join(name));
    let mut query = vec![format!("ca={}", file(tls::CA))];
    if tls.both_sides {
        query.push(format!("cert={}", file(tls::CLIENT_CERTIFICATE)));
        query.push(format!("key={}", file(tls::CLIENT_KEY)));
    }
    query
}

pub(crate) fn question(query: &[String]) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}
