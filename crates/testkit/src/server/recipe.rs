use std::{ffi::OsString, io, path::Path};

use super::Port;

/// How a server of some program is configured and started.
pub(crate) trait Recipe: Send + Sync {
    /// On how many ports it listens. The first is the one for its clients.
    fn ports(&self) -> usize;

    /// Writes the files that it reads, before it is started for the first time: what it writes there
    /// itself is its own.
    fn configure(&self, place: &Place<'_>) -> io::Result<()>;

    /// How it is started, each time.
    fn launch(&self, place: &Place<'_>) -> Launch;
}

/// Where a server is.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// It runs there, and has it for itself.
    pub(crate) directory: &'a Path,
    /// As many as its recipe wants.
    pub(crate) ports: &'a [Port],
}

/// How a server is started.
pub(crate) struct Launch {
    /// After the program's name.
    pub(crate) arguments: Vec<String>,
    /// Each of the form `NAME=VALUE`.
    pub(crate) environment: Vec<OsString>,
    /// A part of the line that it says when it is ready.
    pub(crate) ready: &'static str,
}
