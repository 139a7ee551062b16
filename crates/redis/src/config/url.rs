//! The URLs that name a server and a lease in it.
//!
//! They are split here, because several hosts are not one to a parser of URLs. No error repeats
//! what may be a piece of a password: not even a port, for where a password holds a `/` that should
//! have been `%2F`, what is in front of it stands where a port does.

use leasehold_core::{Error, LeaseName};
use leasehold_endpoint::{Credentials, Parameters, number};

use super::{PORT, RedisConfig, SENTINEL_PORT, scheme::Scheme};

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
            RedisConfig::unix(format!("/{}", scheme.form().decoded(path)?))
        }
        Scheme::Sentinel => {
            let (master, number) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(scheme.refuse("the name of the master is missing"));
            }
            RedisConfig::sentinel(
                several(scheme, hosts, SENTINEL_PORT)?,
                scheme.form().decoded(master)?,
            )?
            .with_database(database(scheme, number)?)?
        }
        Scheme::Cluster => RedisConfig::cluster(several(scheme, hosts, PORT)?)?
            .with_database(database(scheme, path)?)?,
    };
    let mut parameters = Parameters::of(scheme.form(), scheme.parameters(tls), query)?;
    if name.is_empty() {
        return Err(scheme.refuse("the name of the lease is missing"));
    }
    let name = LeaseName::new(scheme.form().decoded(name)?)?;

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
            let user = if user.is_empty() { None } else { Some(scheme.form().decoded(user)?) };
            Ok(Credentials { user, password: scheme.form().decoded(password)? })
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
    scheme.form().host(text, default).map(|at| (at.host, at.port))
}

fn database(scheme: Scheme, text: &str) -> Result<u32, Error> {
    match text {
        "" => Ok(0),
        text => number(text)
            .ok_or_else(|| scheme.refuse("the database is no number: write /1 for database 1")),
    }
}
