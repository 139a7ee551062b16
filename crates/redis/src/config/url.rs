//! The URLs that name a server and a lease in it.
//!
//! They are split here, because several hosts are not one to a parser of URLs. No error repeats
//! what may be a piece of a password: not even a port, for where a password holds a `/` that should
//! have been `%2F`, what is in front of it stands where a port does.

use ::url::Host;
use leasehold_core::{Error, LeaseName};

use super::{
    PORT, RedisConfig, SENTINEL_PORT, credentials::Credentials, parameters::Parameters,
    scheme::Scheme,
};

pub(super) fn parse(url: &str) -> Result<(RedisConfig, LeaseName), Error> {
    let (scheme, tls, rest) = Scheme::of(url)?;
    let (rest, name) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.split_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let stray = [hosts, path, query, name].iter().any(|part| part.contains('@'));
    if stray || name.contains(['?', '#']) {
        return Err(scheme.refuse(
            "there is an @ behind the host, or a ? or # in the name: in a password, and everywhere \
             else, write / ? # @ as %2F %3F %23 %40",
        ));
    }
    let login = login.map(|login| credentials(scheme, login)).transpose()?;

    let mut config = match scheme {
        Scheme::Single => {
            let (host, port) = host(scheme, hosts, PORT)?;
            RedisConfig::single(host, port).with_database(database(scheme, path)?)?
        }
        Scheme::Unix => {
            if !authority.is_empty() || path.is_empty() {
                return Err(scheme.refuse("a path comes after three slashes, without a host"));
            }
            RedisConfig::unix(format!("/{}", scheme.decoded(path)?))
        }
        Scheme::Sentinel => {
            let (master, number) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(scheme.refuse("the name of the master is missing"));
            }
            RedisConfig::sentinel(several(scheme, hosts, SENTINEL_PORT)?, scheme.decoded(master)?)?
                .with_database(database(scheme, number)?)?
        }
        Scheme::Cluster => RedisConfig::cluster(several(scheme, hosts, PORT)?)?
            .with_database(database(scheme, path)?)?,
    };
    let mut parameters = Parameters::of(scheme, tls, query)?;
    if name.is_empty() {
        return Err(scheme.refuse("the name of the lease is missing"));
    }
    let name = LeaseName::new(scheme.decoded(name)?)?;

    if let Some(number) = parameters.take("db") {
        config = config.with_database(database(scheme, &number)?)?;
    }
    config.credentials = login.or(parameters.credentials("user", "password")?);
    config.sentinel_credentials = parameters.credentials("sentinel_user", "sentinel_password")?;
    if tls {
        config.tls = Some(parameters.tls()?);
    }
    Ok((config, name))
}

/// What stands in front of the `@`.
fn credentials(scheme: Scheme, login: &str) -> Result<Credentials, Error> {
    match login.split_once(':') {
        Some((user, password)) if !password.is_empty() => {
            let user = if user.is_empty() { None } else { Some(scheme.decoded(user)?) };
            Ok(Credentials { user, password: scheme.decoded(password)? })
        }
        _ => Err(scheme.refuse(
            "there is no password in front of the @: write user:password@, or :password@ for the \
             default user",
        )),
    }
}

fn several(scheme: Scheme, hosts: &str, port: u16) -> Result<Vec<(String, u16)>, Error> {
    hosts.split(',').map(|one| host(scheme, one, port)).collect()
}

fn host(scheme: Scheme, text: &str, default: u16) -> Result<(String, u16), Error> {
    if text.contains(',') {
        return Err(scheme.refuse(
            "there are several hosts: those of sentinels go with redis+sentinel://, those of a \
             cluster with redis+cluster://",
        ));
    }
    // The colons of an IPv6 address are inside of brackets.
    let end = text.find(']').map_or(0, |bracket| bracket + 1);
    let (name, port) = match text[end..].split_once(':') {
        Some((name, port)) => (&text[..end + name.len()], Some(port)),
        None => (text, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err(scheme.refuse("a host has several colons: write an IPv6 address as [::1]"));
    }
    if name.is_empty() {
        return Err(scheme.refuse("a host is missing"));
    }
    let port = match port {
        None => default,
        Some(port) => number(port).filter(|port| *port != 0).ok_or_else(|| {
            scheme.refuse("what follows the colon behind a host is no port from 1 to 65535")
        })?,
    };
    match Host::parse(name) {
        Ok(Host::Domain(name)) => Ok((name, port)),
        Ok(Host::Ipv4(address)) => Ok((address.to_string(), port)),
        Ok(Host::Ipv6(address)) => Ok((address.to_string(), port)),
        Err(error) => Err(scheme.refuse(format!("what stands for a host is none: {error}"))),
    }
}

fn database(scheme: Scheme, text: &str) -> Result<u32, Error> {
    match text {
        "" => Ok(0),
        text => number(text)
            .ok_or_else(|| scheme.refuse("the database is no number: write /1 for database 1")),
    }
}

/// Digits alone: a number's parser takes a sign, too.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
