use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{
    log::Log,
    running::{Running, Start},
};

/// Becomes the server once it is told to, and ends if that never comes.
const BECOME: &str = r#"read -r go && exec /usr/bin/env "$@" </dev/null 2>&1"#;

/// A server that is a process of this one's. Killed when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: Arc<Log>,
}

impl Process {
    pub(super) fn start(program: &Path, start: &Start<'_>) -> io::Result<Self> {
        let Start { directory, launch } = *start;
        let mut child = Command::new("/bin/sh")
            .args(["-c", BECOME, "leasehold-server"])
            .args(&launch.environment)
            .arg(program)
            .args(&launch.arguments)
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (go, said) = (child.stdin.take(), child.stdout.take());
        let (Some(mut go), Some(said)) = (go, said) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let process = Self { child, log: Log::new(launch.ready) };
        process.log.read(said)?;
        directory.keep(Some(process.child.id()))?;
        go.write_all(b"go\n")?;
        Ok(process)
    }
}

impl Running for Process {
    fn log(&self) -> &Arc<Log> {
        &self.log
    }

    fn id(&self) -> Option<u32> {
        Some(self.child.id())
    }

    fn freeze(&self) -> io::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP)?;
        waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED)?;
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::CONT)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
