use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// What a container is told through (see `Container`).
#[cfg(feature = "containers")]
pub(super) const ORDERS: &str = "orders";

/// What is done when the pipe ends: with `Directory`, or with the process that held it.
const KEEPER: &str = r#"
pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -9 "$pid"
PATH=$PATH:/usr/bin:/bin
# Who is about to read orders reads the end of them, and who comes later finds none.
[ ! -p "$1/orders" ] || { mv "$1/orders" "$1/no-orders" && : <>"$1/no-orders"; }
rm -rf "$1"
"#;

/// A temporary directory that is removed, and whose server is killed, also if this process is.
///
/// A shell waits at the other end of a pipe. It learns of a server before that is more than a shell
/// itself (see `Process`), so that there is no instant at which one could be left behind.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    keeper: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Directory {
    pub(super) fn new() -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix("leasehold-redis-").tempdir()?;
        // A group of its own: what a terminal sends to the tests is not for the keeper.
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "leasehold-keeper"])
            .arg(made.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = Mutex::new(keeper.stdin.take());
        Ok(Self { path: made.keep(), keeper, pipe })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the end is also the end of this process; of none without one.
    pub(super) fn keep(&self, pid: Option<u32>) -> io::Result<()> {
        let line = pid.map_or_else(|| "\n".to_owned(), |pid| format!("{pid}\n"));
        match self.pipe.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.keeper.wait();
    }
}
