use std::{env, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{Durations, Fault, Options, round::Rounds};

/// What a run will do: which leases, and what happens on each.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) backend: String,
    pub(crate) proves_death: bool,
    pub(crate) url: String,
    pub(crate) leases: Vec<PlannedLease>,
    /// The leases of the floor, and whether their holder is killed.
    pub(crate) floors: Vec<(&'static str, bool)>,
    /// How long it will take, about.
    pub(crate) forecast: Duration,
    /// The store, where it was made for this run: it goes when the run ends.
    pub(crate) directory: Option<TempDir>,
}

/// One lease, and the faults that its leaders meet.
#[derive(Clone, Debug)]
pub(crate) struct PlannedLease {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) fault: Fault,
    pub(crate) timing: Durations,
    pub(crate) rounds: usize,
}

impl Plan {
    /// Rounds that wait out a lease are spread over as many leases side by side, that a fault takes
    /// no longer than this. Waiting costs next to nothing, and no two ever change hands at once.
    const LONGEST: Duration = Duration::from_secs(35);
    /// More processes than these would be felt.
    const SIDE_BY_SIDE: usize = 5;

    pub(crate) fn new(options: &Options) -> Result<Self> {
        let directory = match &options.url {
            Some(_) => None,
            None => Some(directory().context("could not make a directory for the leases")?),
        };
        let url = match (&options.url, &directory) {
            (Some(url), _) => url.clone(),
            (None, directory) => {
                let path = directory.as_ref().map_or(Path::new("/"), TempDir::path);
                format!("file://{}/{{}}/lease", path.display())
            }
        };
        let (scheme, _) = url.split_once(':').with_context(|| {
            format!("--url {url:?} has no scheme; file:///directory/NAME, for example")
        })?;
        let backend = scheme.split('+').next().map_or(scheme, |first| match first {
            "rediss" => "redis",
            "etcds" => "etcd",
            other => other,
        });
        ensure!(backend != "memory", "--url {url:?}: a memory lease cannot be shared by processes");
        let mut plan = Self {
            backend: backend.to_owned(),
            proves_death: backend == "file",
            url: url.clone(),
            leases: Vec::new(),
            floors: Vec::new(),
            forecast: Duration::ZERO,
            directory,
        };
        let mut faults = options.faults.clone();
        faults.sort_unstable();
        faults.dedup();
        for timing in &options.timing {
            for fault in &faults {
                plan.add(*fault, *timing, options.rounds())?;
            }
        }
        if !options.no_floor {
            plan.floors.push(("floor-handover", false));
        }
        if !options.no_floor && plan.proves_death {
            plan.floors.push(("floor-crash", true));
        }
        plan.forecast += options.timing.iter().map(|timing| timing.lease).max().unwrap_or_default()
            + Duration::from_secs(1);
        Ok(plan)
    }

    fn add(&mut self, fault: Fault, timing: Durations, rounds: usize) -> Result<()> {
        let each = Rounds::forecast(fault, timing, self.proves_death);
        let all = each * rounds as u32;
        let leases = if fault.waits_for_lease(self.proves_death) {
            let wanted = all.as_secs_f64() / Self::LONGEST.as_secs_f64();
            (wanted.ceil() as usize).clamp(1, Self::SIDE_BY_SIDE.min(rounds))
        } else {
            1
        };
        self.forecast = self.forecast.max(all / leases as u32);
        for number in 0..leases {
            let name = format!("{fault}-{}-{number}", timing.to_string().replace('/', "-"));
            let url = self.lease_url(&name)?;
            // The first ones take what does not divide.
            let rounds = rounds / leases + usize::from(number < rounds % leases);
            self.leases.push(PlannedLease { name, url, fault, timing, rounds });
        }
        Ok(())
    }

    /// The URL of a lease of this name. In a directory of our own each lease has one to itself:
    /// who watches a directory is woken by all that happens in it.
    pub(crate) fn lease_url(&self, name: &str) -> Result<String> {
        if let Some(directory) = &self.directory {
            fs::create_dir_all(directory.path().join(name))
                .with_context(|| format!("could not make a directory for lease {name}"))?;
        }
        Ok(if self.url.contains("{}") {
            self.url.replace("{}", name)
        } else {
            let (url, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{url}-{name}{mark}{query}")
        })
    }
}

/// Where `TMPDIR` says, else in memory where there is such a place: leases need not outlive a boot,
/// belong into a directory like `/run`, and are to be measured without what else a disk has to do.
fn directory() -> std::io::Result<TempDir> {
    const NAME: &str = "leasehold-bench-";
    const IN_MEMORY: &str = "/dev/shm";
    if env::var_os("TMPDIR").is_none()
        && let Ok(directory) = TempDir::with_prefix_in(NAME, IN_MEMORY)
    {
        return Ok(directory);
    }
    TempDir::with_prefix(NAME)
}

/// A URL without the password in it, to be shown.
pub(crate) fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '#', '?']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some(_) => format!(
            "{scheme}://…@{}",
            rest.split_at(rest[..end].rfind('@').map_or(0, |at| at + 1)).1
        ),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan> {
        Plan::new(&Options::parse_from([&["failover"], arguments].concat()))
    }

    #[test]
    fn every_round_is_planned_once() {
        let plan = plan(&["--rounds", "101"]).unwrap();
        for fault in Fault::ALL {
            let rounds = plan.leases.iter().filter(|lease| lease.fault == fault);
            assert_eq!(rounds.map(|lease| lease.rounds).sum::<usize>(), 101, "{fault}");
        }
        assert!(plan.forecast < Duration::from_secs(60), "{:?}", plan.forecast);
    }

    #[test]
    fn each_lease_has_its_own_name() {
        let plan = plan(&["--url", "redis://u:secret@h:1/2#jobs", "--faults", "crash"]).unwrap();
        assert!(plan.leases.len() > 1);
        assert_eq!(plan.leases[0].url, "redis://u:secret@h:1/2#jobs-crash-1s-700ms-150ms-0");
        let plan = self::plan(&["--url", "kubernetes://ns/jobs?mixed_fleet=true"]).unwrap();
        assert!(plan.leases[0].url.ends_with("-0?mixed_fleet=true"), "{}", plan.leases[0].url);
    }

    #[test]
    fn a_url_that_cannot_work_says_why() {
        assert!(plan(&["--url", "nonsense"]).unwrap_err().to_string().contains("no scheme"));
        assert!(plan(&["--url", "memory:x"]).unwrap_err().to_string().contains("processes"));
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_secret("redis://u:p@ss@h:1#x"), "redis://…@h:1#x");
        assert_eq!(without_secret("file:///a@b/c"), "file:///a@b/c");
    }
}
