use std::{
    borrow::Cow,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Durations, Options, Surroundings,
    progress::Progress,
    run::from_here,
    store::{Kind, Store},
};

/// A program that is measured: Leasehold's contender, or a peer of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Another's: it has no goals here, and its overlaps are its own.
    pub(crate) is_peer: bool,
    /// What it is told besides what every contender is.
    pub(crate) arguments: &'static [&'static str],
    /// How it is set, for a reader of the numbers.
    pub(crate) about: &'static str,
    /// What a reader has to know of it where it renews more often than once a second: in a few words,
    /// and in full. Nothing of most.
    pub(crate) below_a_second: Option<[&'static str; 2]>,
    /// The shortest lease that it gets, whatever it is asked for.
    #[serde(skip)]
    pub(crate) least_lease: Duration,
    /// Whether its standbys wait out a lease that was given back.
    #[serde(skip)]
    pub(crate) waits_out: bool,
    /// Whether it gives no lease back, but leaves it to run out.
    #[serde(skip)]
    pub(crate) keeps_lease: bool,
    /// The timing that its own documentation has.
    pub(crate) defaults: Option<Durations>,
}

/// Another program of the contender's shape, which is measured on the same store.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: Cow<'static, str>,
    /// A binary of this package; or, with a slash in it, a path from the root of the repository. A
    /// folder is built: a Go module, or a cargo package.
    pub(crate) program: Cow<'static, str>,
    /// As in [`Program`].
    pub(crate) arguments: &'static [&'static str],
    /// As in [`Program`].
    pub(crate) about: &'static str,
    /// As in [`Program`].
    pub(crate) below_a_second: Option<[&'static str; 2]>,
    /// Names the program, where that is there already.
    pub(crate) variable: Option<&'static str>,
    /// As in [`Program`].
    pub(crate) least_lease: Duration,
    /// As in [`Program`].
    pub(crate) waits_out: bool,
    /// As in [`Program`].
    pub(crate) keeps_lease: bool,
    /// As in [`Program`], as it is written.
    pub(crate) defaults: Option<&'static str>,
}

impl Program {
    /// What is measured on a store, ours first; and which peers are not, and why.
    pub(crate) async fn all(
        options: &Options,
        around: &Surroundings,
        store: &Store,
        progress: &Progress,
    ) -> Result<(Vec<Arc<Self>>, Vec<String>)> {
        let mut programs: Vec<Arc<Self>> = vec![Arc::new(Self::ours(options, around)?)];
        let mut left_out = Vec::new();
        for peer in Peer::asked_for(options, store) {
            let (name, around) = (peer.name.clone(), around.clone());
            let taken = programs.iter().any(|program| program.name == name);
            ensure!(!taken, "two programs are called {name}; --peers NAME=PROGRAM names them");
            progress.say(&format!("{}: {name} is made ready", store.name));
            let ready = tokio::task::spawn_blocking(move || peer.ready(&around));
            match ready.await.context("making a peer ready broke")? {
                Ok(program) => programs.push(Arc::new(program)),
                Err(why) => left_out.push(format!("{}: no {name}: {why:#}", store.name)),
            }
        }
        Ok((programs, left_out))
    }

    fn ours(options: &Options, around: &Surroundings) -> Result<Self> {
        let path = options.program.as_deref().map(from_here);
        let path = path.unwrap_or_else(|| around.contender.clone());
        ensure!(path.is_file(), "could not start {}: it is not there", path.display());
        Ok(Self {
            name: "leasehold".into(),
            path,
            is_peer: false,
            arguments: &[],
            about: "",
            below_a_second: None,
            least_lease: Duration::ZERO,
            waits_out: false,
            keeps_lease: false,
            defaults: None,
        })
    }
}

impl Peer {
    /// One of which nothing is known.
    pub(crate) const PLAIN: Self = Self {
        name: Cow::Borrowed(""),
        program: Cow::Borrowed(""),
        arguments: &[],
        about: "",
        below_a_second: None,
        variable: None,
        least_lease: Duration::ZERO,
        waits_out: false,
        keeps_lease: false,
        defaults: None,
    };

    pub(crate) const ALL: &'static str = "all";
    pub(crate) const NONE: &'static str = "none";

    /// Checks what was written on the command line: one of the two words above, the name of a peer
    /// that is known, or `NAME=PROGRAM`.
    pub(crate) fn check(asked: &str) -> Result<String, String> {
        let mut known: Vec<_> = Kind::peers().map(|peer| peer.name.as_ref()).collect();
        known.dedup();
        match asked.split_once('=') {
            // It becomes part of the names of leases and files.
            Some((name, program))
                if program.is_empty() || name.is_empty() || name.contains(|c| !is_plain(c)) =>
            {
                Err("a peer of your own is NAME=PROGRAM, its name of letters, digits and -".into())
            }
            None if ![Self::ALL, Self::NONE].contains(&asked) && !known.contains(&asked) => {
                Err(format!("the peers are {}, or NAME=PROGRAM for your own", known.join(", ")))
            }
            _ => Ok(asked.to_owned()),
        }
    }

    /// Refuses those who are asked for by name although none is wanted: which of both is meant?
    pub(crate) fn not_both(asked: &[String]) -> Result<()> {
        let none = asked.iter().any(|asked| asked == Self::NONE);
        let other = asked.iter().find(|asked| *asked != Self::NONE && !asked.contains('='));
        match other.filter(|_| none) {
            Some(other) => bail!("--peers none,{other}: none, or {other}?"),
            None => Ok(()),
        }
    }

    /// Those whom nobody will meet, for no store is measured on which they are.
    pub(crate) fn without_a_store(options: &Options, stores: &[Store]) -> Result<()> {
        for asked in &options.peers {
            let known = Kind::peers().any(|peer| peer.name == *asked);
            let met = stores.iter().any(|store| store.peers.iter().any(|peer| peer.name == *asked));
            let left_out = Kind::without(asked).map_or(String::new(), |why| format!("; {why}"));
            let why = "it is no peer on any store that is measured";
            ensure!(!known || met, "--peers {asked}: {why}{left_out}");
        }
        Ok(())
    }

    fn asked_for(options: &Options, store: &Store) -> Vec<Self> {
        let is_asked = |word: &str| options.peers.iter().any(|asked| asked == word);
        let known = store.peers.iter().filter(|peer| is_asked(Self::ALL) || is_asked(&peer.name));
        let own = options.peers.iter().filter_map(|asked| asked.split_once('='));
        let own = own.map(|(name, program)| Self {
            name: name.to_owned().into(),
            program: absolute(from_here(Path::new(program))).into(),
            ..Self::PLAIN
        });
        if is_asked(Self::NONE) { own.collect() } else { known.cloned().chain(own).collect() }
    }

    /// Finds the program, or builds it.
    fn ready(self, around: &Surroundings) -> Result<Program> {
        let given = self.variable.and_then(env::var_os).filter(|path| !path.is_empty());
        let path = if let Some(given) = given {
            from_here(Path::new(&given))
        } else if self.program.contains('/') {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(self.program.as_ref())
        } else {
            around.contender.with_file_name(self.program.as_ref())
        };
        let path = if path.is_dir() { built(&path, around)? } else { path };
        ensure!(path.is_file(), "{} is not there", path.display());
        Ok(Program {
            name: self.name.into_owned(),
            path,
            is_peer: true,
            arguments: self.arguments,
            about: self.about,
            below_a_second: self.below_a_second,
            least_lease: self.least_lease,
            waits_out: self.waits_out,
            keeps_lease: self.keeps_lease,
            defaults: self.defaults.map(str::parse).transpose()?,
        })
    }
}

/// Builds what is in a folder. All share a directory, so that what several depend on is built once,
/// and what is there already is not built again.
fn built(folder: &Path, around: &Surroundings) -> Result<PathBuf> {
    let target = around.target.join("peers");
    if folder.join("Cargo.toml").is_file() {
        built_with_cargo(folder, &target)
    } else {
        built_with_go(folder, &target)
    }
}

fn built_with_go(folder: &Path, target: &Path) -> Result<PathBuf> {
    let name = folder.canonicalize()?.file_name().map(ToOwned::to_owned).context("no folder")?;
    let program = target.join("go").join(name);
    let mut go = Command::new("go");
    go.current_dir(folder)
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-o"])
        .arg(&program)
        .arg(".");
    said_by(go, folder, "Go")?;
    Ok(program)
}

fn built_with_cargo(folder: &Path, target: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(folder)
        .args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"])
        .arg("--target-dir")
        .arg(target);
    let said = said_by(cargo, folder, "cargo")?;
    let mut lines = said.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = lines.find_map(|line| Some(line["executable"].as_str()?.into()));
    program.with_context(|| format!("cargo built no program in {}", folder.display()))
}

/// What it writes on standard output, if it succeeds.
fn said_by(mut builder: Command, folder: &Path, name: &str) -> Result<String> {
    let command = builder.get_program().to_string_lossy().into_owned();
    let built = builder
        .output()
        .with_context(|| format!("it is built with {name}, and `{command}` could not be run"))?;
    if !built.status.success() {
        let why = String::from_utf8_lossy(&built.stderr);
        // The end of what compilers write says what was wrong.
        let lines: Vec<_> = why.trim().lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        bail!("`{} build` in {} failed: {end}", name.to_lowercase(), folder.display());
    }
    Ok(String::from_utf8_lossy(&built.stdout).into_owned())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// Of what was written with a slash or without one: a path has one.
fn absolute(path: PathBuf) -> String {
    std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned()
}
