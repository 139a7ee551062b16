use std::{fmt, io, sync::Arc};

#[cfg(all(feature = "containers", feature = "etcd"))]
use super::tool::Done;
use super::{Launch, directory::Directory, log::Log};

/// A server that has been started. Killed (SIGKILL) when it is dropped.
pub(super) trait Running: fmt::Debug + Send {
    fn log(&self) -> &Arc<Log>;

    /// Its process, where it is one of this machine's.
    fn id(&self) -> Option<u32>;

    /// Stops it, and returns when it is stopped.
    fn freeze(&self) -> io::Result<()>;

    fn thaw(&self) -> io::Result<()>;

    /// Runs another program where it runs, if that is another place than this one.
    #[cfg(all(feature = "containers", feature = "etcd"))]
    fn tool(&self, _name: &'static str, _words: &[String]) -> io::Result<Done> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What is to be started, and where.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) directory: &'a Directory,
    pub(super) launch: &'a Launch,
}
