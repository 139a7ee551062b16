//! Candidates in processes of their own, to be frozen and killed.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal, waitpid,
};

const DIRECTORY: &str = "LEASEHOLD_FILE_TEST_DIRECTORY";

/// A process that runs one of the ignored tests of this program. Killed when it is dropped.
pub(crate) struct Process {
    pid: Pid,
    child: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(role: &str, directory: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", role, "--nocapture"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { pid: Pid::from_child(&child), child, input, output }
    }

    /// The rest of the next line that begins so.
    pub(crate) fn line(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended before it said {beginning:?}");
            // The first line may follow what the test harness prints without an end of line.
            if let Some(at) = line.find(beginning) {
                return line[at + beginning.len()..].trim().to_owned();
            }
        }
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Stops it, and returns when it is stopped.
    pub(crate) fn freeze(&self) {
        kill_process(self.pid, Signal::STOP).unwrap();
        let (_, status) = waitpid(Some(self.pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
    }

    pub(crate) fn thaw(&self) {
        kill_process(self.pid, Signal::CONT).unwrap();
    }

    /// Kills it, and does not wait until it is dead.
    pub(crate) fn kill(&self) {
        kill_process(self.pid, Signal::KILL).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In such a process: the directory that it was given. It dies with the test.
pub(crate) fn given() -> PathBuf {
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    PathBuf::from(env::var_os(DIRECTORY).expect("to be started by a test"))
}

/// In such a process: the next line that it is told.
pub(crate) fn told() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}
