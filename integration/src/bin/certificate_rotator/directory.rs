//! A directory as the vault.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use async_trait::async_trait;
use leasehold::FencingToken;
use tokio::task::block_in_place;

use crate::{
    certificates::Certificates,
    vault::{Stored, Vault},
};

/// A directory of generations, `generation.1` and so on. Each is a directory, with the token of the term
/// that wrote it and all files that belong together; the newest is the one that counts. It appears whole
/// or not at all: it is made under another name and renamed, and a rename onto a directory that is not
/// empty is refused. So of two who replace the same generation one is refused, as by a fence. None is
/// ever removed: that is left to whoever knows who reads them.
#[derive(Debug)]
pub(crate) struct Directory {
    directory: PathBuf,
}

const PREFIX: &str = "generation.";

impl Directory {
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    fn write(
        &self,
        seen: Option<&Stored>,
        token: FencingToken,
        certificates: Option<Certificates>,
    ) -> io::Result<Stored> {
        let generation = seen.map_or(Ok(0), |seen| seen.mark.parse::<u64>());
        let next = generation.ok().and_then(|generation| generation.checked_add(1));
        let generation = next.ok_or(io::ErrorKind::InvalidInput)?;
        let unfinished = self.directory.join(format!("unfinished.{generation}.{token}"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir(&unfinished)?;
        let stored = Stored { mark: generation.to_string(), token, certificates };
        for (name, text) in stored.files() {
            // Private keys are among them. And what is renamed before it is written would be empty after a
            // power cut.
            let path = unfinished.join(name);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
        }
        if let Err(error) = fs::rename(&unfinished, self.path(generation)) {
            fs::remove_dir_all(&unfinished)?;
            let why = format!("generation {generation} was written by another: {error}");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        Ok(stored)
    }

    fn read(&self) -> io::Result<Option<Stored>> {
        let generation = self.newest_generation()?;
        if generation == 0 {
            return Ok(None);
        }
        let directory = self.path(generation);
        let file = |name: &str| match fs::read_to_string(directory.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        Stored::of_files(generation.to_string(), file).map(Some)
    }

    fn newest_generation(&self) -> io::Result<u64> {
        let mut newest = 0;
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            newest = newest.max(number.unwrap_or(0));
        }
        Ok(newest)
    }

    fn path(&self, generation: u64) -> PathBuf {
        self.directory.join(format!("{PREFIX}{generation}"))
    }
}

/// The files are small, and the thread is given another meanwhile; what is done here is not dropped.
#[async_trait]
impl Vault for Directory {
    async fn newest(&self) -> io::Result<Option<Stored>> {
        block_in_place(|| self.read())
    }

    async fn replace(
        &self,
        seen: Option<&Stored>,
        token: FencingToken,
        certificates: Option<Certificates>,
    ) -> io::Result<Stored> {
        block_in_place(|| self.write(seen, token, certificates))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

    use std::time::Duration;

    use super::*;
    use crate::vault::{rotate, show};

    fn token(number: u64) -> FencingToken {
        FencingToken::new(number).unwrap()
    }

    fn made() -> Certificates {
        Certificates::next_after(None, Duration::from_secs(60)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_ghost_that_read_before_a_new_leader_has_shown_its_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Directory::open(directory.path().join("certificates")).unwrap();
        let read_by_the_ghost = show(&vault, token(7)).await.unwrap();
        let read_by_the_new = show(&vault, token(8)).await.unwrap();
        let error = rotate(&vault, &read_by_the_ghost, token(7), made()).await.err().unwrap();
        assert!(error.to_string().contains("was written by another"), "{error}");
        let stored = rotate(&vault, &read_by_the_new, token(8), made()).await.unwrap();
        assert_eq!((&*stored.mark, stored.token), ("3", token(8)));
        // Nor is it let in if it reads again.
        assert!(show(&vault, token(7)).await.is_err());
        assert_eq!(vault.newest().await.unwrap().unwrap().mark, "3");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_finished_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Directory::open(directory.path().to_owned()).unwrap();
        let seen = show(&vault, token(1)).await.unwrap();
        // Killed in the middle of it.
        fs::create_dir(directory.path().join("unfinished.2.1")).unwrap();
        fs::write(directory.path().join("unfinished.2.1/tls.crt"), "half").unwrap();
        assert_eq!(vault.newest().await.unwrap().unwrap().mark, "1");
        let stored = rotate(&vault, &seen, token(1), made()).await.unwrap();
        assert_eq!(stored.mark, "2");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left of it");
    }
}
