use std::{fs, process::Command};

use serde::Serialize;

/// Where a run was made. What cannot be found out is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    cpu: Option<String>,
    cores: Option<usize>,
    memory_gib: Option<f64>,
    kernel: String,
    rustc: Option<String>,
    revision: Option<String>,
    /// The load average of the last minute, before the run.
    load: Option<f64>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let uname = rustix::system::uname();
        Self {
            cpu: cpu(),
            cores: std::thread::available_parallelism().ok().map(Into::into),
            memory_gib: memory_gib(),
            kernel: format!(
                "{} {}",
                uname.sysname().to_string_lossy(),
                uname.release().to_string_lossy()
            ),
            rustc: said_by(Command::new("rustc").arg("--version")),
            revision: revision(),
            load: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }

    /// One line, for people.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(cores) = self.cores {
            let cpu = self.cpu.as_deref().unwrap_or("processor");
            parts.push(format!("{cores} × {cpu}"));
        }
        parts.extend(self.memory_gib.map(|gib| format!("{gib} GiB")));
        parts.push(self.kernel.clone());
        parts.extend(self.rustc.clone());
        parts.extend(self.revision.as_ref().map(|revision| format!("revision {revision}")));
        parts.extend(self.load.map(|load| format!("load before {load}")));
        parts.join(", ")
    }
}

/// How busy all processors were since it was made: what is measured on a machine that does other
/// work is that work, too.
#[derive(Debug)]
pub(crate) struct Busy {
    since: Option<(u64, u64)>,
}

impl Busy {
    pub(crate) fn since_now() -> Self {
        Self { since: ticks() }
    }

    /// The busy share, from 0 to 1.
    pub(crate) fn share(&self) -> Option<f64> {
        let ((idle, all), (idle_now, all_now)) = (self.since?, ticks()?);
        let all = all_now.checked_sub(all).filter(|all| *all > 0)?;
        Some(1.0 - idle_now.saturating_sub(idle) as f64 / all as f64)
    }
}

/// The idle ticks of all processors since boot, and all their ticks.
fn ticks() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
    let [_, _, _, idle, iowait, ..] = ticks[..] else { return None };
    Some((idle + iowait, ticks.iter().take(8).sum()))
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_gib() -> Option<f64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let kib: f64 = info.lines().next()?.split_whitespace().nth(1)?.parse().ok()?;
    Some((kib / 1024.0 / 1024.0 * 10.0).round() / 10.0)
}

fn revision() -> Option<String> {
    let git = |arguments: &[&str]| {
        said_by(Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR")]).args(arguments))
    };
    let revision = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some();
    Some(if changed { format!("{revision} with changes") } else { revision })
}

/// What a command writes, where it succeeds and writes anything.
fn said_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
