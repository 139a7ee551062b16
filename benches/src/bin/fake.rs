//! Stands in for a contender in the harness' own tests: elects by a file lock, which a crash gives
//! back at once, and misbehaves as its URL says: `fake:BEHAVIOUR:/path/of/a/file`.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Parser;
use leasehold_bench::monotonic;
use tokio::{
    io::AsyncReadExt,
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
    time::sleep,
};

#[derive(Parser)]
struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    id: String,
    #[arg(long)]
    timing: String,
    #[arg(long)]
    trace: bool,
}

struct Fake {
    behaviour: String,
    path: PathBuf,
    terminate: Signal,
    step_down: Signal,
}

/// How long a fake that overlaps works on after it has given the lease away.
const TOO_LONG: Duration = Duration::from_millis(25);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let mut parts = options.url.splitn(3, ':').skip(1);
    let (behaviour, path) = (parts.next(), parts.next());
    let (behaviour, path) = behaviour.zip(path).context("fake:BEHAVIOUR:PATH is needed")?;
    if behaviour == "dies" {
        eprintln!("the store is closed on Sundays ({}, {})", options.id, options.timing);
        return Ok(ExitCode::from(3));
    }
    let mut fake = Fake {
        behaviour: behaviour.to_owned(),
        path: path.into(),
        terminate: signal(SignalKind::terminate())?,
        step_down: signal(SignalKind::user_defined1())?,
    };
    tokio::select! {
        done = fake.campaign(options.trace) => done?,
        () = hung_up() => {}
    }
    std::process::exit(0)
}

impl Fake {
    async fn campaign(&mut self, trace: bool) -> Result<()> {
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
            if trace {
                self.say("sending", "");
            }
            self.say("start", &format!(r#","token":{token}"#));
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
        let line =
            format!("{{\"event\":\"{event}\",\"id\":\"fake\",\"t\":{}{more}}}\n", monotonic());
        let _ = out.write_all(line.as_bytes());
    }
}

fn locked(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

async fn hung_up() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 64];
    while matches!(input.read(&mut bytes).await, Ok(1..)) {}
}
