use std::{env, ffi::OsStr, path::PathBuf};

use super::{Program, ServerError};

const SERVERS: &str = "LEASEHOLD_SERVERS";

/// What a search for a server has found.
#[derive(Debug)]
pub(crate) enum Found {
    /// The URL of somebody's server.
    Elsewhere(String),
    Here(Way),
}

/// How a server is started here.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Binary(PathBuf),
    /// And what was found in the place of the other ways, should there be no container either.
    #[cfg(feature = "containers")]
    Container {
        program: &'static Program,
        found: Vec<String>,
    },
}

impl Way {
    /// The first that there is, for a server of one's own or not.
    pub(crate) fn find(program: &'static Program, own: bool) -> Result<Found, ServerError> {
        let only = env::var_os(SERVERS).filter(|only| !only.is_empty());
        let allowed = |way: &str| only.as_deref().is_none_or(|only| only == OsStr::new(way));
        if !["address", "binary", "container"].into_iter().any(allowed) {
            let reason = "it is one of address, binary, container, or unset".to_owned();
            return Err(ServerError::Setting { variable: SERVERS, reason });
        }
        let url = program.url;
        let mut found = Vec::new();
        if allowed("address") {
            match env::var(url) {
                Ok(value) if !own => return address(program, value),
                Ok(_) => found.push(format!("{url} names one, but this test needs one of its own")),
                Err(_) => found.push(format!("{url} is not set")),
            }
        }
        if allowed("binary") {
            match program.find() {
                Ok(path) => return Ok(Found::Here(Self::Binary(path))),
                Err(reason) => found.push(reason),
            }
        }
        if allowed("container") {
            #[cfg(feature = "containers")]
            return Ok(Found::Here(Self::Container { program, found }));
            #[cfg(not(feature = "containers"))]
            found.push("the feature `containers` is off".to_owned());
        }
        Err(missing(program, &found))
    }
}

#[cfg(feature = "kubernetes")]
impl Way {
    /// Why there is no server, if another one that it needs beside it is not there either.
    pub(crate) fn without(&self, other: ServerError) -> ServerError {
        match (self, other) {
            #[cfg(feature = "containers")]
            (Self::Container { program, found }, ServerError::Missing { store, found: it, .. }) => {
                missing(program, &[&found[..], &[format!("no {store} for it: {it}")]].concat())
            }
            (_, other) => other,
        }
    }
}

/// None to be had, and what there was in its place.
pub(super) fn missing(program: &Program, found: &[String]) -> ServerError {
    let (store, found, advice) = (program.store, found.join("; "), program.advice());
    ServerError::Missing { store, found, advice }
}

fn address(program: &Program, url: String) -> Result<Found, ServerError> {
    if (program.is_url)(&url) {
        return Ok(Found::Elsewhere(url));
    }
    let reason = format!("it has the form {}", program.url_form);
    Err(ServerError::Setting { variable: program.url, reason })
}
