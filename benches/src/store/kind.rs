use std::{borrow::Cow, fmt, time::Duration};

use anyhow::Result;

use super::file;
use crate::program::Peer;

/// What is known of a kind of store.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What a URL of such a store begins with, up to a `+` or the colon.
    schemes: &'static [&'static str],
    /// Whether it can prove that a holder is gone: a crash need not be waited out then.
    pub(crate) proves_death: bool,
    /// Whether it is measured where nobody says what is to be.
    by_default: bool,
    /// What else is measured on it.
    pub(crate) peers: &'static [Peer],
    /// Starts one for a run; may block. None where the bench was built without it.
    pub(super) start: Option<Start>,
}

pub(super) type Start = fn() -> Result<Box<dyn Host>>;

/// A store that is there, for as long as this is.
pub(super) trait Host: fmt::Debug + Send + Sync {
    /// The URL of a lease of this name.
    fn url(&self, lease: &str) -> Result<String>;

    /// What it is and where, for people; never a secret.
    fn describe(&self) -> String;
}

/// In the order in which they are measured.
static KINDS: [Kind; 5] = [
    Kind {
        name: "file",
        schemes: &["file"],
        proves_death: true,
        by_default: true,
        peers: &[],
        start: Some(file::start),
    },
    Kind {
        name: "redis",
        schemes: &["redis", "rediss"],
        proves_death: false,
        by_default: true,
        peers: &[],
        #[cfg(feature = "redis")]
        start: Some(super::redis::start),
        #[cfg(not(feature = "redis"))]
        start: None,
    },
    Kind {
        name: "etcd",
        schemes: &["etcd", "etcds"],
        proves_death: false,
        by_default: true,
        peers: &[ETCD_RECIPE],
        #[cfg(feature = "etcd")]
        start: Some(super::etcd::start),
        #[cfg(not(feature = "etcd"))]
        start: None,
    },
    Kind {
        name: "etcd-single",
        schemes: &[],
        proves_death: false,
        by_default: false,
        peers: &[ETCD_RECIPE],
        #[cfg(feature = "etcd")]
        start: Some(super::etcd::start_single),
        #[cfg(not(feature = "etcd"))]
        start: None,
    },
    Kind {
        name: "kubernetes",
        schemes: &["kubernetes"],
        proves_death: false,
        by_default: true,
        peers: &[CLIENT_GO],
        #[cfg(feature = "kubernetes")]
        start: Some(super::kubernetes::start),
        #[cfg(not(feature = "kubernetes"))]
        start: None,
    },
];

const ETCD_RECIPE: Peer = Peer {
    name: Cow::Borrowed("etcd-recipe"),
    program: Cow::Borrowed("etcd_recipe"),
    variable: None,
    // One and a half times the time in which members elect, in whole seconds.
    least_lease: Duration::from_secs(2),
};

const CLIENT_GO: Peer = Peer {
    name: Cow::Borrowed("client-go"),
    program: Cow::Borrowed("integration/client-go"),
    variable: Some("LEASEHOLD_CLIENT_GO"),
    // It writes whole seconds.
    least_lease: Duration::from_secs(1),
};

impl Kind {
    /// Those of the names, or where there are none, all that the bench can start by itself.
    pub(crate) fn asked_for(names: &[String]) -> impl Iterator<Item = &'static Self> {
        KINDS.iter().filter(|kind| kind.start.is_some()).filter(move |kind| match names {
            [] => kind.by_default,
            names => names.iter().any(|name| name == kind.name),
        })
    }

    /// The peers on any kind.
    pub(crate) fn peers() -> impl Iterator<Item = &'static Peer> {
        KINDS.iter().flat_map(|kind| kind.peers)
    }

    /// The kind of a URL's scheme, where it is one of ours.
    pub(crate) fn of_scheme(scheme: &str) -> Option<&'static Self> {
        let first = scheme.split('+').next()?;
        KINDS.iter().find(|kind| kind.schemes.contains(&first))
    }

    /// The one that is called so on the command line.
    pub(crate) fn named(name: &str) -> Result<&'static Self, String> {
        match KINDS.iter().find(|kind| kind.name == name) {
            Some(kind) if kind.start.is_some() => Ok(kind),
            Some(kind) => {
                let feature = kind.name.split('-').next().unwrap_or_default();
                Err(format!("this bench was built without it: add --features {feature}"))
            }
            None => {
                Err(format!("the stores are {}", KINDS.each_ref().map(|kind| kind.name).join(", ")))
            }
        }
    }
}
