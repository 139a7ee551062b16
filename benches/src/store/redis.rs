use anyhow::Result;
use leasehold_testkit::redis::RedisServer;

use super::{kind::Host, without_secret};

pub(super) fn start() -> Result<Box<dyn Host>> {
    Ok(Box::new(Redis(RedisServer::start()?)))
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
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redis at {}", self.0.address())
    }
}
