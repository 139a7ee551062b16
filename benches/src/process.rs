use std::{
    collections::VecDeque,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc::UnboundedSender,
    task::JoinHandle,
    time,
};

use crate::{lines::Lines, monotonic};

/// A process that speaks in lines.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    stdin: Option<ChildStdin>,
    stderr: Arc<Mutex<VecDeque<String>>>,
    /// Those who listen to it, until they were waited for.
    listeners: Vec<JoinHandle<()>>,
}

/// What a process said, or that it will say no more. `who` is what its starter calls it.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) who: usize,
    pub(crate) line: Option<String>,
}

impl Process {
    /// So many of the first lines of its complaints, and of the last, are kept for an error message.
    const COMPLAINTS: usize = 6;

    /// Starts it in a process group of its own: a Ctrl-C at the terminal is the harness's to
    /// handle. It ends when its standard input does, so that none outlives the harness.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        who: usize,
        said: UnboundedSender<Said>,
    ) -> Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.context("a process that was just started has no id")?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("a process that was just started has no output");
        };
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        Ok(Self {
            pid,
            stdin: child.stdin.take(),
            child,
            listeners: vec![
                tokio::spawn(pass_on(stdout, who, said)),
                tokio::spawn(keep(stderr, kept.clone())),
            ],
            stderr: kept,
        })
    }

    /// Sends a signal, and says the instant just before.
    pub(crate) fn signal(&self, signal: Signal) -> Result<u64> {
        let at = monotonic();
        // Its id cannot be another's: it is not waited for before.
        kill_process(self.pid, signal).context("could not signal a process")?;
        Ok(at)
    }

    /// Says a line to it.
    pub(crate) async fn tell(&mut self, line: &str) -> Result<()> {
        let Some(stdin) = &mut self.stdin else { bail!("its standard input is closed") };
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    /// Tells it to end, by the end of its standard input.
    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end, and ends it where it takes longer. All it has said has been passed on
    /// then.
    pub(crate) async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let status = match time::timeout(within, self.child.wait()).await {
            Ok(status) => status?,
            Err(_) => {
                self.child.start_kill()?;
                self.child.wait().await?
            }
        };
        for listener in self.listeners.drain(..) {
            // Where a child of its own holds the pipe open there is no end to wait for.
            let _ = time::timeout(Duration::from_millis(500), listener).await;
        }
        Ok(status)
    }

    /// What it complained of, for an error message.
    pub(crate) fn complaints(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            return "it wrote nothing to its standard error".into();
        }
        let lines: Vec<_> = kept.iter().map(String::as_str).collect();
        format!("its standard error:\n{}", lines.join("\n"))
    }
}

async fn pass_on(from: impl AsyncRead + Unpin, who: usize, said: UnboundedSender<Said>) {
    let mut lines = Lines::new(from);
    while let Some(line) = lines.next().await {
        if said.send(Said { who, line: Some(line) }).is_err() {
            return;
        }
    }
    let _ = said.send(Said { who, line: None });
}

async fn keep(from: impl AsyncRead + Unpin, kept: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = Lines::new(from);
    while let Some(line) = lines.next().await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == 2 * Process::COMPLAINTS {
            kept.remove(Process::COMPLAINTS);
        }
        kept.push_back(line.chars().take(500).collect());
    }
}
