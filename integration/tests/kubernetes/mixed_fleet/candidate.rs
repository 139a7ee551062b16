//! A process that stands for the lease: the bench's contender, or client-go's, which has its shape.

use std::{
    env,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use leasehold_integration::{now, within};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

use super::told::{Chronicle, Event, Who};

/// A running one. It is killed when this is dropped.
pub(crate) struct Candidate {
    pub(crate) who: Who,
    url: String,
    chronicle: Chronicle,
    child: Child,
    listener: JoinHandle<()>,
}

impl Candidate {
    /// Starts one, and waits until it stands.
    pub(crate) async fn start(who: Who, url: &str, timing: &str, chronicle: &Chronicle) -> Self {
        let program = if who.ours { ours() } else { client_gos() };
        // Where somebody looks who wants to know why.
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.log", who.name));
        let log = OpenOptions::new().create(true).append(true).open(&log);
        let told = chronicle.length();
        let mut child = Command::new(&program)
            .args(["--url", url, "--id", who.name, "--timing", timing, "--trace"])
            // It ends when this does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log"))
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let stdout = child.stdout.take().expect("piped");
        let listener = tokio::spawn(listen(stdout, who, chronicle.clone()));
        let candidate =
            Self { who, url: url.to_owned(), chronicle: chronicle.clone(), child, listener };
        candidate.says("stands", told, |event| *event == Event::Ready).await;
        candidate
    }

    /// The same again, after its end.
    pub(crate) async fn start_again(&mut self, timing: &str) {
        *self = Self::start(self.who, &self.url, timing, &self.chronicle).await;
    }

    /// Sends a signal, and says when.
    pub(crate) fn signal(&self, signal: Signal) -> u64 {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("alive");
        let at = now();
        kill_process(pid, signal).expect("signalled");
        at
    }

    pub(crate) fn freeze(&self) -> u64 {
        let at = self.signal(Signal::STOP);
        self.chronicle.note(self.who, at, Event::Froze);
        at
    }

    pub(crate) fn thaw(&self) {
        let at = self.signal(Signal::CONT);
        self.chronicle.note(self.who, at, Event::Thawed);
    }

    pub(crate) async fn kill(&mut self) -> u64 {
        let at = now();
        self.child.kill().await.expect("killed");
        // What it said before comes before.
        (&mut self.listener).await.expect("heard to the end");
        self.chronicle.note(self.who, at, Event::Killed);
        at
    }

    /// Waits for its end, of which it was told.
    pub(crate) async fn ends(&mut self) {
        let what = format!("{} ends", self.who.name);
        let status = within(&what, "", self.child.wait()).await.expect("waited for");
        assert!(status.success(), "{}: {status}", self.who.name);
        (&mut self.listener).await.expect("heard to the end");
    }

    /// Waits until it says something, after so much was told.
    pub(crate) async fn says(
        &self,
        what: &str,
        told: usize,
        wanted: impl Fn(&Event) -> bool + Send + Sync,
    ) -> u64 {
        let what = format!("{} {what}", self.who.name);
        let (_, told) = self
            .chronicle
            .next(&what, told, |told| {
                assert!(told.who != self.who || told.event != Event::Gone, "{what}: it has ended");
                told.who == self.who && wanted(&told.event)
            })
            .await;
        told.at
    }
}

async fn listen(stdout: ChildStdout, who: Who, chronicle: Chronicle) {
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.expect("readable") {
        let said: serde_json::Value = serde_json::from_str(&line).expect("an object");
        let at = said["t"].as_u64().expect("an instant");
        chronicle.note(who, at, serde_json::from_value(said).expect("an event"));
    }
    chronicle.note(who, now(), Event::Gone);
}

fn ours() -> PathBuf {
    env!("CARGO_BIN_EXE_mixed-fleet-candidate").into()
}

/// What the set-up has built, or is told to build now.
fn client_gos() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(built);
    env::var_os("LEASEHOLD_CLIENT_GO").map_or_else(|| BUILT.clone(), PathBuf::from)
}

fn built() -> PathBuf {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("client-go/build");
    let built = std::process::Command::new(build).stderr(Stdio::inherit()).output();
    let built = built.expect("a shell");
    assert!(
        built.status.success(),
        "client-go's candidate cannot be built: there has to be Go, or its path in LEASEHOLD_CLIENT_GO"
    );
    String::from_utf8(built.stdout).expect("a path").trim_end().into()
}
