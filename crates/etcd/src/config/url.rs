//! The URLs that name an etcd and a lease in it.
//!
//! They are split here, because several hosts are not one to a parser of URLs. No error repeats
//! what may be a piece of a password: not even a port, for where a password holds a `/` that should
//! have been `%2F`, what is in front of it stands where a port does.

use leasehold_core::{Error, LeaseName};
use leasehold_endpoint::{Credentials, Form, Known, Parameters};

use super::{EtcdConfig, PORT};

const FORM: Form = Form(
    "etcd://[user:password@]host[:port][,host[:port]…]/NAME[?prefix=…], and etcds:// for TLS \
     [?ca=…&cert=…&key=…]",
);

pub(super) fn parse(url: &str) -> Result<(EtcdConfig, LeaseName), Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "etcd" => false,
        "etcds" => true,
        "http" => return Err(FORM.refuse("it begins with http:// instead of etcd://")),
        "https" => return Err(FORM.refuse("it begins with https:// instead of etcds://")),
        _ => return Err(FORM.refuse("it begins with neither etcd:// nor etcds://")),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.split_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let stray = [hosts, name, query].iter().any(|part| part.contains('@'));
    if stray || name.contains('/') || url.contains('#') {
        return Err(FORM.refuse(
            "there is an @ behind the host, a / in the name, or a #: in a password, and everywhere \
             else, write / ? # @ as %2F %3F %23 %40",
        ));
    }
    let login = login.map(credentials).transpose()?;
    let hosts = hosts.split(',').map(|text| FORM.host(text, PORT));
    let hosts =
        hosts.map(|found| found.map(|at| (at.host, at.port))).collect::<Result<Vec<_>, _>>();
    let hosts = hosts?;
    if name.is_empty() {
        return Err(FORM.refuse("the name of the lease is missing"));
    }
    let name = LeaseName::new(FORM.decoded(name)?)?;
    let names: &[_] = if tls { &["prefix", "ca", "cert", "key"] } else { &["prefix"] };
    let mut parameters = Parameters::of(FORM, Known { names, over_tls: "etcds://" }, query)?;

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
            let user = Some(FORM.decoded(user)?);
            Ok(Credentials { user, password: FORM.decoded(password)? })
        }
        _ => Err(FORM.refuse("in front of the @ there is no user:password")),
    }
}
