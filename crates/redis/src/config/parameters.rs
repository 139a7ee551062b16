use leasehold_core::Error;

use super::{Tls, credentials::Credentials, scheme::Scheme};

/// What stands behind the question mark of a URL.
pub(super) struct Parameters {
    scheme: Scheme,
    values: Vec<(&'static str, String)>,
}

impl Parameters {
    pub(super) fn of(scheme: Scheme, tls: bool, query: &str) -> Result<Self, Error> {
        let known = scheme.parameters(tls);
        let mut values = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(unknown(scheme, known, name, query));
            };
            if value.is_empty() {
                return Err(scheme.refuse(format!("the parameter {name:?} has no value")));
            }
            if values.iter().any(|(given, _)| given == name) {
                return Err(scheme.refuse(format!("the parameter {name:?} is there twice")));
            }
            values.push((*name, scheme.decoded(value)?));
        }
        Ok(Self { scheme, values })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.values.iter().position(|(given, _)| *given == name)?;
        Some(self.values.swap_remove(at).1)
    }

    pub(super) fn credentials(
        &mut self,
        user: &str,
        password: &str,
    ) -> Result<Option<Credentials>, Error> {
        match (self.take(user), self.take(password)) {
            (user, Some(password)) => Ok(Some(Credentials { user, password })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(self.scheme.refuse(format!("{user:?} is there without {password:?}")))
            }
        }
    }

    pub(super) fn tls(&mut self) -> Result<Tls, Error> {
        let tls = match self.take("ca") {
            Some(file) => Tls::new().with_ca(file)?,
            None => Tls::new(),
        };
        match (self.take("cert"), self.take("key")) {
            (Some(certificate), Some(key)) => tls.with_client_certificate(certificate, key),
            (None, None) => Ok(tls),
            _ => Err(self.scheme.refuse("\"cert\" and \"key\" go together, and one is missing")),
        }
    }
}

fn unknown(scheme: Scheme, known: &[&str], name: &str, query: &str) -> Error {
    let known = match known {
        [] => "none is known here".to_owned(),
        known => format!("known are {}", known.join(", ")),
    };
    if ["ca", "cert", "key"].contains(&name) {
        scheme.refuse(format!("the parameter {name:?} goes with TLS, and so with rediss alone"))
    } else if query.contains("password") {
        // It may be the second half of one.
        scheme.refuse(format!("a parameter is unknown ({known}); in a password, write & as %26"))
    } else {
        scheme.refuse(format!("the parameter {name:?} is unknown ({known})"))
    }
}
