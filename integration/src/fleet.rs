//! Copies of a service, each a process of its own, and what they say.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use leasehold::FencingToken;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::watch,
};

use crate::{FencedLog, within};

/// A line of one of these programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was said, by CLOCK_MONOTONIC in nanoseconds.
    pub at: u64,
    /// Who said it.
    pub name: String,
    /// What.
    pub text: String,
}

impl Line {
    /// The token of a term that begins here.
    pub fn started(&self) -> Option<FencingToken> {
        let rest = self.text.strip_prefix("reconciler starts ")?;
        FencingToken::new(rest.split(' ').next()?.parse().ok()?)
    }
}

/// All copies of one service.
#[derive(Debug)]
pub struct Fleet {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    /// What the leaders of `replica` write to.
    pub log: FencedLog,
    said: Arc<watch::Sender<Vec<Line>>>,
    started: AtomicUsize,
    _directory: TempDir,
}

/// One of them. It is killed when this is dropped.
#[derive(Debug)]
pub struct Replica {
    /// What it is called: no two are called the same.
    pub name: String,
    child: Child,
}

impl Fleet {
    /// Of this program, with nobody in it.
    ///
    /// # Panics
    /// If there is no room for its log.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self {
            program: program.as_ref().to_owned(),
            environment: Vec::new(),
            log: FencedLog::listen(directory.path().join("log")),
            said: Arc::default(),
            started: AtomicUsize::new(0),
            _directory: directory,
        }
    }

    /// Has a variable in the environment of all that start from now on.
    #[must_use]
    pub fn with_env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Starts another copy of `replica`, with what its reconciler is to do, and waits until it is ready.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start(&self, what: &str, url: &str) -> Replica {
        self.start_with([url.as_ref(), self.log.socket().as_os_str(), what.as_ref()]).await
    }

    /// Starts another copy: it is told its name, and then these. Waits until it is ready.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start_with<const N: usize>(&self, arguments: [&OsStr; N]) -> Replica {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let name = format!("replica-{number}");
        let mut child = Command::new(&self.program)
            .arg(&name)
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the replica starts");
        let stdout = child.stdout.take().expect("piped");
        let (said, speaker) = (self.said.clone(), name.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let (at, text) = line.split_once(' ').expect("a time and a text");
                let at = at.parse().expect("a time");
                let line = Line { at, name: speaker.clone(), text: text.to_owned() };
                said.send_modify(|said| said.push(line));
            }
            let line = Line { at: crate::now(), name: speaker, text: "gone".to_owned() };
            said.send_modify(|said| said.push(line));
        });
        let replica = Replica { name, child };
        self.until(&replica, "ready").await;
        replica
    }

    /// All that was said.
    pub fn lines(&self) -> Vec<Line> {
        self.said.borrow().clone()
    }

    /// How often a copy has said this.
    pub fn count(&self, replica: &Replica, text: &str) -> usize {
        let says = |line: &&Line| line.name == replica.name && line.text == text;
        self.lines().iter().filter(says).count()
    }

    /// Waits until a copy has said this.
    ///
    /// # Panics
    /// If it never does.
    pub async fn until(&self, replica: &Replica, text: &str) -> Line {
        let says = |line: &Line| line.name == replica.name && line.text == text;
        self.line(&format!("{} says {text:?}", replica.name), says).await
    }

    /// Waits until somebody's reconciler starts in a later term than that of this token.
    ///
    /// # Panics
    /// If nobody's does.
    pub async fn term_after(&self, earlier: FencingToken) -> (Line, FencingToken) {
        let later = |line: &Line| line.started().is_some_and(|token| token > earlier);
        let line = self.line(&format!("a term after {earlier}"), later).await;
        let token = line.started().expect("waited for");
        (line, token)
    }

    /// Waits for the first line that is as wanted.
    ///
    /// # Panics
    /// If there is none.
    pub async fn line(&self, what: &str, wanted: impl Fn(&Line) -> bool + Send + Sync) -> Line {
        let mut said = self.said.subscribe();
        let found = async {
            loop {
                let line = said.borrow_and_update().iter().find(|line| wanted(line)).cloned();
                match line {
                    Some(line) => return line,
                    None => said.changed().await.expect("the sender is here"),
                }
            }
        };
        let what = format!("{what}; all that was said: {:#?}", self.latest());
        within(&what, "", found).await
    }

    fn latest(&self) -> Vec<Line> {
        let lines = self.lines();
        lines[lines.len().saturating_sub(30)..].to_vec()
    }
}

impl Replica {
    /// Sends a signal. One that is told to stop has stopped when this returns.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("alive");
        kill_process(pid, signal).expect("signalled");
        if signal == Signal::STOP {
            // Its end is left to whoever waits for that.
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), stopped).expect("a child");
        }
    }

    /// Tells it to leave the lease to another.
    ///
    /// # Panics
    /// If the process is gone.
    pub async fn step_down(&mut self) {
        let orders = self.child.stdin.as_mut().expect("piped");
        orders.write_all(b"step-down\n").await.expect("it listens");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        within(&what, "", self.child.wait()).await.expect("waited for")
    }

    /// Whether it has not ended.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("waited for").is_none()
    }
}
