use std::{ffi::OsString, fmt, io};

use super::{directory::Directory, log::Log};

/// A server that has been started. Killed (SIGKILL) when it is dropped.
pub(super) trait Running: fmt::Debug + Send {
    fn log(&self) -> &Log;

    /// Its process, where it is one of this machine's.
    fn id(&self) -> Option<u32>;

    /// Stops it, and returns when it is stopped.
    fn freeze(&self) -> io::Result<()>;

    fn thaw(&self) -> io::Result<()>;
}

/// What is to be started.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) directory: &'a Directory,
    /// After the program's name.
    pub(super) arguments: &'a [&'a str],
    /// Each of the form `NAME=VALUE`.
    pub(super) environment: &'a [OsString],
    /// A part of the line that it says when it is ready.
    pub(super) ready: &'static str,
}
