use std::fmt;

use anyhow::Result;

use super::file;

/// What is known of a kind of store.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What a URL of such a store begins with, up to a `+` or the colon.
    schemes: &'static [&'static str],
    /// Whether it can prove that a holder is gone: a crash need not be waited out then.
    pub(crate) proves_death: bool,
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
static KINDS: [Kind; 2] = [
    Kind { name: "file", schemes: &["file"], proves_death: true, start: Some(file::start) },
    Kind {
        name: "redis",
        schemes: &["redis", "rediss"],
        proves_death: false,
        #[cfg(feature = "redis")]
        start: Some(super::redis::start),
        #[cfg(not(feature = "redis"))]
        start: None,
    },
];

impl Kind {
    /// Those that the bench can start by itself.
    pub(crate) fn built_in() -> impl Iterator<Item = &'static Self> {
        KINDS.iter().filter(|kind| kind.start.is_some())
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
            Some(_) => Err(format!("this bench was built without it: add --features {name}")),
            None => {
                Err(format!("the stores are {}", KINDS.each_ref().map(|kind| kind.name).join(", ")))
            }
        }
    }
}
