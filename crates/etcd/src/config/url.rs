//! The URLs that name an etcd and a lease in it.
//!
//! They are split here, because several hosts are not one to a parser of URLs. No error repeats
//! what may be a piece of a password: not even a port, for where a password holds a `/` that should
//! have been `%2F`, what is in front of it stands where a port does.

use ::url::Host;
use leasehold_core::{Error, LeaseName};
use percent_encoding::percent_decode_str;

use super::{EtcdConfig, PORT, credentials::Credentials, invalid, parameters::Parameters};

const FORM: &str = "etcd://[user:password@]host[:port][,host[:port]…]/NAME[?prefix=…], and etcds:// \
                    for TLS [?ca=…&cert=…&key=…]";

pub(super) fn parse(url: &str) -> Result<(EtcdConfig, LeaseName), Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "etcd" => false,
        "etcds" => true,
        _ => return Err(refuse("it begins with neither etcd:// nor etcds://")),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.split_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let stray = [hosts, name, query].iter().any(|part| part.contains('@'));
    if stray || name.contains('/') || url.contains('#') {
        return Err(refuse(
            "there is an @ behind the host, a / in the name, or a #: in a password, and everywhere \
             else, write / ? # @ as %2F %3F %23 %40",
        ));
    }
    let login = login.map(credentials).transpose()?;
    let hosts = hosts.split(',').map(host).collect::<Result<Vec<_>, _>>()?;
    let mut parameters = Parameters::of(tls, query)?;
    if name.is_empty() {
        return Err(refuse("the name of the lease is missing"));
    }
    let name = LeaseName::new(decoded(name)?)?;

    let mut config = EtcdConfig::new(hosts)?;
    config.credentials = login;
    if let Some(prefix) = parameters.take("prefix") {
        config = config.with_prefix(prefix)?;
    }
    if tls {
        config.tls = Some(parameters.tls()?);
    }
    Ok((config, name))
}

/// What stands in front of the `@`.
fn credentials(login: &str) -> Result<Credentials, Error> {
    match login.split_once(':') {
        Some((user, password)) if !user.is_empty() && !password.is_empty() => {
            Ok(Credentials { user: decoded(user)?, password: decoded(password)? })
        }
        _ => Err(refuse("in front of the @ there is no user:password")),
    }
}

fn host(text: &str) -> Result<(String, u16), Error> {
    // The colons of an IPv6 address are inside of brackets.
    let end = text.find(']').map_or(0, |bracket| bracket + 1);
    let (name, port) = match text[end..].split_once(':') {
        Some((name, port)) => (&text[..end + name.len()], Some(port)),
        None => (text, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err(refuse("a host has several colons: write an IPv6 address as [::1]"));
    }
    if name.is_empty() {
        return Err(refuse("a host is missing"));
    }
    let port = match port {
        None => PORT,
        Some(port) => number(port).filter(|port| *port != 0).ok_or_else(|| {
            refuse("what follows the colon behind a host is no port from 1 to 65535")
        })?,
    };
    match Host::parse(name) {
        Ok(Host::Domain(name)) => Ok((name, port)),
        Ok(Host::Ipv4(address)) => Ok((address.to_string(), port)),
        Ok(Host::Ipv6(address)) => Ok((address.to_string(), port)),
        Err(error) => Err(refuse(format!("what stands for a host is none: {error}"))),
    }
}

/// Digits alone: a number's parser takes a sign, too.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

pub(super) fn refuse(why: impl AsRef<str>) -> Error {
    invalid("use the URL", format!("{}; the form is {FORM}", why.as_ref()))
}

/// Without percent-encoding.
pub(super) fn decoded(text: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| refuse("its percent-encoding is not UTF-8"))
}
