use leasehold_core::Error;

use crate::{Credentials, Form, Tls};

/// What may stand behind the question mark of a URL.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Their names.
    pub names: &'static [&'static str],
    /// Which scheme takes a certificate too, where this one does not.
    pub over_tls: &'static str,
}

/// What stands behind the question mark of a URL.
#[derive(Debug)]
pub struct Parameters {
    form: Form,
    values: Vec<(&'static str, String)>,
}

impl Parameters {
    /// Those of a query: each of them is known, has a value, and is there once.
    ///
    /// # Errors
    /// Something else is there. A value is never repeated.
    pub fn of(form: Form, known: Known, query: &str) -> Result<Self, Error> {
        let mut values = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(name) = known.names.iter().find(|known| **known == name) else {
                return Err(form.refuse(unknown(known, part, query)));
            };
            if value.is_empty() {
                return Err(form.refuse(format!("the parameter {name:?} has no value")));
            }
            if values.iter().any(|(given, _)| given == name) {
                return Err(form.refuse(format!("the parameter {name:?} is there twice")));
            }
            values.push((*name, form.decoded(value)?));
        }
        Ok(Self { form, values })
    }

    /// The value of this one, once.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.values.iter().position(|(given, _)| *given == name)?;
        Some(self.values.swap_remove(at).1)
    }

    /// The user and the password that these two name, if they are there.
    ///
    /// # Errors
    /// There is a user without a password.
    pub fn credentials(
        &mut self,
        user: &str,
        password: &str,
    ) -> Result<Option<Credentials>, Error> {
        match (self.take(user), self.take(password)) {
            (user, Some(password)) => Ok(Some(Credentials { user, password })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(self.form.refuse(format!("{user:?} is there without {password:?}")))
            }
        }
    }

    /// What `ca`, `cert` and `key` say.
    ///
    /// # Errors
    /// As [`Tls::with_ca`] and [`Tls::with_client_certificate`].
    pub fn tls(&mut self) -> Result<Tls, Error> {
        let tls = match self.take("ca") {
            Some(file) => Tls::new().with_ca(file)?,
            None => Tls::new(),
        };
        match (self.take("cert"), self.take("key")) {
            (Some(certificate), Some(key)) => tls.with_client_certificate(certificate, key),
            (None, None) => Ok(tls),
            _ => Err(self.form.refuse("\"cert\" and \"key\" go together, and one is missing")),
        }
    }
}

/// Only what looks like a parameter's name is repeated: else it may be a piece of a password.
fn unknown(Known { names, over_tls }: Known, part: &str, query: &str) -> String {
    let known = match names {
        [] => "none is known here".to_owned(),
        names => format!("known are {}", names.join(", ")),
    };
    match part.split_once('=') {
        Some((name @ ("ca" | "cert" | "key"), _)) => {
            format!("the parameter {name:?} goes with TLS, and so with {over_tls} alone")
        }
        // It may be the second half of one.
        _ if query.contains("password") => {
            format!("a parameter is unknown ({known}); in a password, write & as %26")
        }
        Some((name, _)) => format!("the parameter {name:?} is unknown ({known})"),
        None => format!("a parameter is unknown ({known}); in a password, write ? as %3F"),
    }
}
