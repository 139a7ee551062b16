use leasehold_core::Error;

use super::{
    Tls,
    url::{decoded, refuse},
};

/// What stands behind the question mark of a URL.
pub(super) struct Parameters {
    values: Vec<(&'static str, String)>,
}

impl Parameters {
    pub(super) fn of(tls: bool, query: &str) -> Result<Self, Error> {
        let known: &[_] = if tls { &["prefix", "ca", "cert", "key"] } else { &["prefix"] };
        let mut values = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(unknown(known, name));
            };
            if value.is_empty() {
                return Err(refuse(format!("the parameter {name:?} has no value")));
            }
            if values.iter().any(|(given, _)| given == name) {
                return Err(refuse(format!("the parameter {name:?} is there twice")));
            }
            values.push((*name, decoded(value)?));
        }
        Ok(Self { values })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.values.iter().position(|(given, _)| *given == name)?;
        Some(self.values.swap_remove(at).1)
    }

    pub(super) fn tls(&mut self) -> Result<Tls, Error> {
        let tls = match self.take("ca") {
            Some(file) => Tls::new().with_ca(file)?,
            None => Tls::new(),
        };
        match (self.take("cert"), self.take("key")) {
            (Some(certificate), Some(key)) => tls.with_client_certificate(certificate, key),
            (None, None) => Ok(tls),
            _ => Err(refuse("\"cert\" and \"key\" go together, and one is missing")),
        }
    }
}

/// Of what is unknown nothing is repeated: it may be a piece of a password.
fn unknown(known: &[&str], name: &str) -> Error {
    if ["ca", "cert", "key"].contains(&name) {
        return refuse(format!("the parameter {name:?} goes with TLS, and so with etcds:// alone"));
    }
    refuse(format!(
        "a parameter is unknown (known are {}); in a password, write ? as %3F",
        known.join(", ")
    ))
}
