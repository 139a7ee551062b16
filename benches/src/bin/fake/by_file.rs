use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use leasehold_bench::monotonic;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
    time::sleep,
};

use crate::say_at;

/// Elects by a file lock, which a crash gives back at once.
pub(crate) struct Fake {
    behaviour: String,
    path: PathBuf,
    terminate: Signal,
    step_down: Signal,
}

/// How long a fake that overlaps works on after it has given the lease away.
const TOO_LONG: Duration = Duration::from_millis(25);

impl Fake {
    pub(crate) fn new(behaviour: &str, path: &str) -> Result<Self> {
        Ok(Self {
            behaviour: behaviour.to_owned(),
            path: path.into(),
            terminate: signal(SignalKind::terminate())?,
            step_down: signal(SignalKind::user_defined1())?,
        })
    }

    pub(crate) async fn campaign(&mut self, trace: bool) -> Result<()> {
        self.say("ready", "");
        loop {
            let path = self.path.clone();
            let locked = tokio::select! {
                locked = spawn_blocking(move || locked(&path)) => locked??,
                _ = self.terminate.recv() => return Ok(()),
            };
            if self.behaviour == "mute" {
                std::future::pending::<()>().await;
            }
            let token = self.next_token()?;
            if self.behaviour == "full" && token > 1 {
                eprintln!("No space left on device");
                std::future::pending::<()>().await;
            }
            if trace {
                self.say("sending", "");
            }
            let has_token = self.behaviour != "tokenless";
            let shown = if has_token { format!(r#","token":{token}"#) } else { String::new() };
            self.say("start", &shown);
            let leaves = tokio::select! {
                _ = self.terminate.recv() => true,
                _ = self.step_down.recv() => false,
            };
            let overlaps = self.behaviour == "overlap";
            let mut last = monotonic();
            if overlaps {
                locked.unlock()?;
                sleep(TOO_LONG).await;
                last = monotonic();
            }
            self.say("stop", &format!(r#","token":{token},"last":{last},"why":"resigned""#));
            drop(locked);
            if leaves {
                self.say("exit", "");
                return Ok(());
            }
            sleep(TOO_LONG).await;
        }
    }

    fn next_token(&self) -> Result<u64> {
        let counter = self.path.with_extension("token");
        let last =
            fs::read_to_string(&counter).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        if self.behaviour == "stale" && last > 1 {
            return Ok(last);
        }
        fs::write(&counter, format!("{}", last + 1))?;
        Ok(last + 1)
    }

    fn say(&self, event: &str, more: &str) {
        let mut out = std::io::stdout().lock();
        if self.behaviour == "hostile" {
            let _ = out.write_all(b"\xff\xfe{\n{\"event\":\"start\",\"t\":\"now\"}\n[[[[\n\n");
            let _ =
                out.write_all(b"{\"event\":\"start\",\"t\":18446744073709551615,\"token\":1}\n");
            let _ = out.write_all(b"{\"event\":\"coffee\",\"t\":1}\n");
        }
        drop(out);
        say_at(monotonic(), event, more);
    }
}

fn locked(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}
