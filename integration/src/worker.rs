use std::{path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A line of the program `worker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Its work has begun, with this token.
    Began(u64),
    /// It acted at this instant of CLOCK_MONOTONIC.
    Acted(u64),
    /// It slept through a freeze: was it current the first time that it asked?
    Woke {
        /// What `is_current` said.
        current: bool,
    },
    /// Its work was dropped.
    Dropped,
}

/// A running `worker`. It is killed when this is dropped.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts the program, with what it is to do (see its source) and the lease's URL.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(program: impl AsRef<Path>, what: &str, url: &str) -> Self {
        Self::spawn(Command::new(program.as_ref()).args([what, url]))
    }

    /// Starts it with nobody to read its standard error: a write there fails.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_unheard(program: impl AsRef<Path>, what: &str, url: &str) -> Self {
        Self::spawn(Command::new(program.as_ref()).args([what, url]).stderr(Stdio::piped()))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the worker starts");
        drop(child.stderr.take());
        let stdout = child.stdout.take().expect("piped");
        Self { child, lines: BufReader::new(stdout).lines() }
    }

    /// What it says next; none when it is gone.
    ///
    /// # Panics
    /// If it says something that nobody understands.
    pub async fn says(&mut self) -> Option<Said> {
        let line = self.lines.next_line().await.expect("readable")?;
        let number = |text: &str| text.parse().expect("a number");
        Some(match line.split_once(' ').unwrap_or((&line, "")) {
            ("began", token) => Said::Began(number(token)),
            ("acted", at) => Said::Acted(number(at)),
            ("woke", current) => Said::Woke { current: current == "true" },
            ("dropped", _) => Said::Dropped,
            _ => panic!("not understood: {line:?}"),
        })
    }

    /// Waits for something that it says, and returns what `pick` makes of it.
    ///
    /// # Panics
    /// If it ends without having said it.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Said) -> Option<T>) -> T {
        loop {
            let said = self.says().await.expect("the worker has ended");
            if let Some(picked) = pick(said) {
                return picked;
            }
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("alive");
        kill_process(pid, signal).expect("signalled");
    }

    /// Waits for its end, and returns the signal that ended it.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub async fn killed_by(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        self.child.wait().await.expect("waited for").signal()
    }

    /// Whether it has not ended.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("waited for").is_none()
    }
}
