use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// What a container is told through (see `Container`).
#[cfg(feature = "containers")]
pub(super) const ORDERS: &str = "orders";

/// Makes the directory and says its name; the rest is done when the pipe ends: with `Directory`, or
/// with the process that held it.
const KEEPER: &str = r#"
trap '' PIPE
PATH=$PATH:/usr/bin:/bin
directory=$(mktemp -d -t leasehold-server-XXXXXX) && echo "$directory"
pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -9 "$pid"
cd "$directory" || exit
# Who is about to read orders reads the end of them, and who comes later finds none.
[ ! -p orders ] || { mv orders no-orders && : <>no-orders; }
cd / && rm -rf "$directory"
"#;

/// A temporary directory that is removed, and whose server is killed, also if this process is.
///
/// A shell waits at the other end of a pipe. It makes the directory itself, and learns of a server
/// before that is more than a shell too (see `Process`), so that there is no instant at which either
/// could be left behind.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    keeper: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Directory {
    pub(crate) fn new() -> io::Result<Self> {
        // A group of its own: what a terminal sends to the tests is not for the keeper.
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "leasehold-keeper"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pipe = Mutex::new(keeper.stdin.take());
        let mut name = String::new();
        if let Some(said) = keeper.stdout.take() {
            BufReader::new(said).read_line(&mut name)?;
        }
        let made = Self { path: PathBuf::from(name.trim_end_matches('\n')), keeper, pipe };
        if made.path.is_absolute() { Ok(made) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(crate) fn path(&self) -> &Path {
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
