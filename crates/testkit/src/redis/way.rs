use std::{
    env,
    ffi::OsStr,
    path::{self, Path, PathBuf},
    process::Command,
};

use super::ServerError;

const SERVERS: &str = "LEASEHOLD_SERVERS";
const URL: &str = "LEASEHOLD_REDIS_URL";
const SERVER: &str = "LEASEHOLD_REDIS_SERVER";
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// Scripts that ask for the server's replication id and publish.
const OLDEST: u32 = 7;

/// What a search for a server has found.
#[derive(Debug)]
pub(super) enum Found {
    /// The URL of somebody's server.
    Elsewhere(String),
    Here(Way),
}

/// How a server is started here.
#[derive(Debug)]
pub(super) enum Way {
    Binary(PathBuf),
    /// And what was found in the place of the other ways, should there be no container either.
    #[cfg(feature = "containers")]
    Container {
        found: Vec<String>,
    },
}

impl Way {
    /// The first that there is, for a server of one's own or not.
    pub(super) fn find(own: bool) -> Result<Found, ServerError> {
        let only = env::var_os(SERVERS).filter(|only| !only.is_empty());
        let allowed = |way: &str| only.as_deref().is_none_or(|only| only == OsStr::new(way));
        if !["address", "binary", "container"].into_iter().any(allowed) {
            let reason = "it is one of address, binary, container, or unset".to_owned();
            return Err(ServerError::Setting { variable: SERVERS, reason });
        }
        let mut found = Vec::new();
        if allowed("address") {
            match env::var(URL) {
                Ok(url) if !own => return address(url),
                Ok(_) => found.push(format!("{URL} names one, but this test needs one of its own")),
                Err(_) => found.push(format!("{URL} is not set")),
            }
        }
        if allowed("binary") {
            match binary() {
                Ok(program) => return Ok(Found::Here(Self::Binary(program))),
                Err(reason) => found.push(reason),
            }
        }
        if allowed("container") {
            #[cfg(feature = "containers")]
            return Ok(Found::Here(Self::Container { found }));
            #[cfg(not(feature = "containers"))]
            found.push("the feature `containers` is off".to_owned());
        }
        Err(ServerError::Missing { found: found.join("; ") })
    }
}

fn address(url: String) -> Result<Found, ServerError> {
    if url.starts_with("redis://") && !url.contains('#') {
        return Ok(Found::Elsewhere(url));
    }
    let reason = "it has the form redis://[user:password@]host:port[/db]".to_owned();
    Err(ServerError::Setting { variable: URL, reason })
}

fn binary() -> Result<PathBuf, String> {
    if let Some(program) = env::var_os(SERVER).filter(|program| !program.is_empty()) {
        // The server runs in a directory of its own.
        let program = path::absolute(program).map_err(|error| format!("{SERVER}: {error}"))?;
        return match version(&program) {
            Some(version) if version >= OLDEST => Ok(program),
            Some(version) => Err(format!("{SERVER} names a server of version {version}")),
            None => Err(format!("{SERVER} names no server that runs")),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut reason = format!("no {} on the PATH", PROGRAMS.join(" or "));
    for program in env::split_paths(&path).flat_map(|place| PROGRAMS.map(|name| place.join(name))) {
        match version(&program) {
            Some(version) if version >= OLDEST => return Ok(program),
            Some(version) => reason = format!("{} has version {version}", program.display()),
            None => {}
        }
    }
    Err(reason)
}

/// Its first number, of a program that is there.
fn version(program: &Path) -> Option<u32> {
    let said = Command::new(program).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let (_, version) = said.split_once("v=")?;
    version.split('.').next()?.parse().ok()
}
