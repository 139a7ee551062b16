use anyhow::Result;
use leasehold_testkit::redis::{RedisOptions, RedisServer};

use super::{kind::Host, without_secret};

pub(super) fn start() -> Result<Box<dyn Host>> {
    // One of its own, for it is restarted: somebody's is named by `--url`.
    Ok(Box::new(Redis(RedisOptions::new().own().start()?)))
}

struct Redis(RedisServer);

impl Host for Redis {
    fn url(&self, lease: &str) -> Result<String> {
        Ok(self.0.url(lease))
    }

    fn describe(&self) -> String {
        let info = self.0.text(&["INFO", "server"]);
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let url = without_secret(&self.0.url("NAME"));
        match version {
            Some(version) => format!("{url}, version {version}"),
            None => url,
        }
    }

    fn may_restart(&self) -> Result<(), String> {
        Ok(())
    }

    fn restart(&self) {
        self.0.restart();
    }

    /// How often it has read from a client: what a client sends at once is one request, and scripts
    /// count once.
    fn requests(&self) -> Option<f64> {
        let info = self.0.text(&["INFO", "stats"]);
        let reads = info.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        reads?.trim().parse().ok()
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redis at {}", self.0.address())
    }
}
