//! A directory as the place of objects.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{ResourceExt, runtime::watcher::Event};
use leasehold::FencingToken;
use notify::{EventKind, RecursiveMode, Watcher, event::ModifyKind};
use tokio::{sync::mpsc, task::block_in_place, time};

use crate::{
    object,
    place::{Place, Tell},
};

/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// What is wanted of the object `door` is in the file `door.wanted`, which is put there by a rename.
///
/// What was made in the term of token 7 is in `door.made.7`, and what counts is that of the highest token:
/// a write of an older term, however late, comes to where nobody looks any more. Who makes it again
/// removes what it saw of an older term: who misses that has a cache that lags behind, and makes nothing
/// twice. (What was made of an object that is wanted no more stays.)
pub(crate) struct Directory(PathBuf);

/// What one of its files is, of the object of this name.
enum File {
    Wanted,
    Made(FencingToken),
}

impl Directory {
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&path).map_err(|error| of(&path, error))?;
        // As its watcher calls it.
        Ok(Self(std::path::absolute(path)?))
    }

    async fn follow_until_it_fails(&self, tell: &mut Tell) -> io::Result<()> {
        let (said, mut heard) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            // Nobody hears it any more when this has failed.
            let _ = said.send(event);
        })
        .map_err(io::Error::other)?;
        watcher.watch(&self.0, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
        loop {
            // It watches before it looks: nothing is missed between.
            let mut objects = block_in_place(|| self.all())?;
            tell(Event::Init);
            objects.values().cloned().for_each(|object| tell(Event::InitApply(object)));
            tell(Event::InitDone);
            while let Some(event) = heard.recv().await {
                let event = event.map_err(io::Error::other)?;
                if event.need_rescan() {
                    break;
                }
                // To read is an event, too.
                if event.kind.is_access() {
                    continue;
                }
                // What comes in its place is another directory, which nobody watches.
                if event.paths.contains(&self.0) && is_gone(event.kind) {
                    return Err(io::Error::other("it was removed, or renamed"));
                }
                for path in event.paths {
                    if let Some(event) = block_in_place(|| change(&mut objects, &path))? {
                        tell(event);
                    }
                }
            }
        }
    }

    fn all(&self) -> io::Result<BTreeMap<String, ConfigMap>> {
        let mut objects = BTreeMap::new();
        for entry in fs::read_dir(&self.0)? {
            change(&mut objects, &entry?.path())?;
        }
        Ok(objects)
    }
}

/// Looks at one file, and says what has changed.
fn change(
    objects: &mut BTreeMap<String, ConfigMap>,
    path: &Path,
) -> io::Result<Option<Event<ConfigMap>>> {
    let Some((name, file)) = path.file_name().and_then(|name| parse(name.to_str()?)) else {
        return Ok(None);
    };
    let text = match read(path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(match file {
                File::Wanted => objects.remove(name).map(Event::Delete),
                File::Made(token) => objects.get_mut(name).and_then(|object| {
                    // The one that counted: it is to be made again.
                    let counted = object::token(object) == token;
                    counted.then(|| object::forget_made(object))?;
                    Some(Event::Apply(object.clone()))
                }),
            });
        }
        // One that nobody can read is left as it was seen last, and must not stop all others.
        Err(error) if is_of_this_file(error.kind()) => {
            eprintln!("{}", of(path, error));
            return Ok(None);
        }
        Err(error) => return Err(of(path, error)),
    };
    let object = objects.entry(name.to_owned()).or_default();
    object.metadata.name = Some(name.to_owned());
    match file {
        File::Wanted => object::set_wanted(object, text),
        File::Made(token) if token < object::token(object) => return Ok(None),
        File::Made(token) => object::set_made(object, text, token),
    }
    Ok(Some(Event::Apply(object.clone())))
}

/// What is in it; nothing where it is not there. Only files are opened: of a FIFO nobody knows when it
/// ends.
fn read(path: &Path) -> io::Result<Option<String>> {
    let text = fs::metadata(path).and_then(|about| match about.is_file() {
        true => fs::read_to_string(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file")),
    });
    match text {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

const fn is_of_this_file(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::PermissionDenied)
}

const fn is_gone(kind: EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
}

fn of(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn parse(name: &str) -> Option<(&str, File)> {
    if let Some(name) = name.strip_suffix(".wanted") {
        return Some((name, File::Wanted));
    }
    let (name, token) = name.rsplit_once(".made.")?;
    Some((name, File::Made(FencingToken::new(token.parse().ok()?)?)))
}

#[async_trait]
impl Place for Directory {
    async fn follow(&self, mut tell: Tell) {
        loop {
            if let Err(error) = self.follow_until_it_fails(&mut tell).await {
                eprintln!("{}: {error}", self.0.display());
            }
            time::sleep(AGAIN).await;
        }
    }

    async fn make(&self, seen: &ConfigMap, token: FencingToken) -> io::Result<()> {
        let (name, before) = (seen.name_any(), object::token(seen));
        let file = |token: FencingToken| self.0.join(format!("{name}.made.{token}"));
        let unfinished = self.0.join(format!("{name}.unfinished.{token}"));
        block_in_place(|| {
            if before > FencingToken::ZERO && !file(before).exists() {
                return Err(io::Error::other("it was made by another meanwhile"));
            }
            fs::write(&unfinished, object::wanted(seen).unwrap_or_default())?;
            fs::rename(&unfinished, file(token))?;
            if before < token {
                // What was made before it may be there, or not.
                let _ = fs::remove_file(file(before));
            }
            Ok(())
        })
    }
}
