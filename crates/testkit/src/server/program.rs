use std::{
    env,
    ffi::OsString,
    fmt,
    path::{self, Path, PathBuf},
    process::Command,
};

/// A server's program: what it is called, and how one is had.
#[derive(Debug)]
pub(crate) struct Program {
    /// What people call what it is.
    pub(crate) store: &'static str,
    /// The variable that holds the address of somebody's server, and its form.
    pub(crate) url: &'static str,
    pub(crate) url_form: &'static str,
    pub(crate) is_url: fn(&str) -> bool,
    /// What it may be called on the PATH.
    pub(crate) names: &'static [&'static str],
    /// The variable that holds the path of one, wherever it is.
    pub(crate) path: &'static str,
    pub(crate) oldest: Version,
    /// What comes before the number in what it answers to `--version`.
    pub(crate) version_after: &'static str,
    /// How people get one.
    pub(crate) to_be_had: &'static str,
    /// The variable that names an image that has one, and the image if it is unset.
    pub(crate) image: &'static str,
    pub(crate) default_image: &'static str,
}

/// The first two numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl Program {
    /// The first that is new enough: where the variable says, else on the PATH, else in the folder
    /// where the project's set-up keeps what it has built. Else what was found in their places.
    pub(crate) fn find(&self) -> Result<PathBuf, String> {
        if let Some(program) = variable(self.path) {
            // The server runs in a directory of its own.
            let program = path::absolute(program);
            let program = program.map_err(|error| format!("{}: {error}", self.path))?;
            return match self.version(&program) {
                Some(version) if version >= self.oldest => Ok(program),
                Some(version) => Err(format!("{} names a server of version {version}", self.path)),
                None => Err(format!("{} names no server that runs", self.path)),
            };
        }
        let mut reason =
            format!("no {} on the PATH, nor kept by a set-up", self.names.join(" or "));
        for program in
            places().flat_map(|place| self.names.iter().map(move |name| place.join(name)))
        {
            match self.version(&program) {
                Some(version) if version >= self.oldest => return Ok(program),
                Some(version) => reason = format!("{} has version {version}", program.display()),
                None => {}
            }
        }
        Err(reason)
    }

    /// That of a program that is there.
    fn version(&self, program: &Path) -> Option<Version> {
        let said = Command::new(program).arg("--version").output().ok()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let (_, version) = said.split_once(self.version_after)?;
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// What helps where there is none.
    pub(super) fn advice(&self) -> String {
        let Self { url, url_form, path, oldest, to_be_had, image, default_image, .. } = self;
        let names = self.names.join(" or ");
        format!(
            "One of these helps: \
             (1) a server of yours, whose address is in {url}={url_form} (for tests that do not \
             freeze, kill or configure it); \
             (2) the program {names}, version {oldest} or newer, on the PATH or at the path in {path} \
             ({to_be_had}); \
             (3) Docker, and the image that {image} names, {default_image} unless set (with the \
             feature `containers`). \
             `integration/setup` of the project finds, installs or builds one of them"
        )
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Where programs are looked for.
pub(super) fn places() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::split_paths(&path).collect::<Vec<_>>();
    // Where those who write controllers keep an etcd, a kube-apiserver and a kubectl.
    let assets = variable("KUBEBUILDER_ASSETS").map(PathBuf::from);
    assets.into_iter().chain(path).chain(kept())
}

/// Where the project's set-up keeps the servers that it has built: those of its last run.
fn kept() -> Option<PathBuf> {
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    Some(cache.join("leasehold/servers/current"))
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
