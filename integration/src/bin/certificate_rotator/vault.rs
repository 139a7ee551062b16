//! A directory that refuses late writes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use leasehold::FencingToken;

use crate::certificates::Certificates;

/// A directory of generations, `generation.1` and so on. Each is a directory, with the token of the term
/// that wrote it and all files that belong together; the newest is the one that counts. It appears whole
/// or not at all: it is made under another name and renamed, and a rename onto a directory that is not
/// empty is refused. So of two who replace the same generation one is refused, as by a fence.
#[derive(Debug)]
pub(crate) struct Vault {
    directory: PathBuf,
}

/// What one generation holds.
pub(crate) struct Stored {
    pub(crate) generation: u64,
    pub(crate) token: FencingToken,
    /// None where nobody has made any yet.
    pub(crate) certificates: Option<Certificates>,
}

const PREFIX: &str = "generation.";

impl Vault {
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// Shows the token of a term: whoever read before that is refused from now on, whatever its token.
    pub(crate) fn show(&self, token: FencingToken) -> io::Result<Stored> {
        let newest = self.newest()?;
        let (generation, newest_token, certificates) = newest
            .map_or((0, FencingToken::ZERO, None), |Stored { generation, token, certificates }| {
                (generation, token, certificates)
            });
        let seen = Stored { generation, token: newest_token, certificates: certificates.clone() };
        if newest_token == token {
            return Ok(seen);
        }
        self.write(&seen, token, certificates)
    }

    /// Replaces what was seen, unless that is no more what counts.
    pub(crate) fn replace(
        &self,
        seen: &Stored,
        token: FencingToken,
        certificates: Certificates,
    ) -> io::Result<Stored> {
        self.write(seen, token, Some(certificates))
    }

    /// What counts at present.
    pub(crate) fn newest(&self) -> io::Result<Option<Stored>> {
        match self.newest_generation()? {
            0 => Ok(None),
            generation => read(&self.path(generation), generation).map(Some),
        }
    }

    fn write(
        &self,
        seen: &Stored,
        token: FencingToken,
        certificates: Option<Certificates>,
    ) -> io::Result<Stored> {
        let generation = seen.generation + 1;
        let stale = |why: String| Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        if token < seen.token {
            return stale(format!("token {token} is older than {}", seen.token));
        }
        let unfinished = self.directory.join(format!("unfinished.{generation}.{token}"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir(&unfinished)?;
        let stored = Stored { generation, token, certificates };
        save(&unfinished, &stored)?;
        if let Err(error) = fs::rename(&unfinished, self.path(generation)) {
            fs::remove_dir_all(&unfinished)?;
            return stale(format!("generation {generation} was written by another: {error}"));
        }
        Ok(stored)
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

fn save(directory: &Path, stored: &Stored) -> io::Result<()> {
    let file = |name: &str, text: &str| fs::write(directory.join(name), text);
    file("token", &stored.token.to_string())?;
    if let Some(certificates) = &stored.certificates {
        file("ca.crt", &certificates.authority)?;
        file("ca.key", &certificates.authority_key)?;
        file("tls.crt", &certificates.server)?;
        file("tls.key", &certificates.server_key)?;
        file("ca.until", &millis(certificates.authority_until))?;
        file("issued", &millis(certificates.issued))?;
    }
    Ok(())
}

fn read(directory: &Path, generation: u64) -> io::Result<Stored> {
    let file = |name: &str| fs::read_to_string(directory.join(name));
    let number = |name: &str| -> io::Result<u64> {
        file(name)?.parse().map_err(|_| io::ErrorKind::InvalidData.into())
    };
    let moment = |name: &str| {
        Ok::<_, io::Error>(SystemTime::UNIX_EPOCH + Duration::from_millis(number(name)?))
    };
    let token = FencingToken::new(number("token")?).ok_or(io::ErrorKind::InvalidData)?;
    let certificates = if directory.join("issued").try_exists()? {
        Some(Certificates {
            authority: file("ca.crt")?,
            authority_key: file("ca.key")?,
            authority_until: moment("ca.until")?,
            server: file("tls.crt")?,
            server_key: file("tls.key")?,
            issued: moment("issued")?,
        })
    } else {
        None
    };
    Ok(Stored { generation, token, certificates })
}

fn millis(moment: SystemTime) -> String {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

    use super::*;

    fn token(number: u64) -> FencingToken {
        FencingToken::new(number).unwrap()
    }

    fn made() -> Certificates {
        Certificates::next_after(None, Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn a_ghost_that_read_before_a_new_leader_has_shown_its_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Vault::open(directory.path().join("certificates")).unwrap();
        let read_by_the_ghost = vault.show(token(7)).unwrap();
        let read_by_the_new = vault.show(token(8)).unwrap();
        let error = vault.replace(&read_by_the_ghost, token(7), made()).err().unwrap();
        assert!(error.to_string().contains("was written by another"), "{error}");
        let stored = vault.replace(&read_by_the_new, token(8), made()).unwrap();
        assert_eq!((stored.generation, stored.token), (3, token(8)));
        // Nor is it let in if it reads again.
        assert!(vault.show(token(7)).is_err());
        assert_eq!(vault.newest().unwrap().unwrap().generation, 3);
    }

    #[test]
    fn what_is_not_finished_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Vault::open(directory.path().to_owned()).unwrap();
        let seen = vault.show(token(1)).unwrap();
        // Killed in the middle of it.
        fs::create_dir(directory.path().join("unfinished.2.1")).unwrap();
        fs::write(directory.path().join("unfinished.2.1/tls.crt"), "half").unwrap();
        assert_eq!(vault.newest().unwrap().unwrap().generation, 1);
        let stored = vault.replace(&seen, token(1), made()).unwrap();
        assert_eq!(stored.generation, 2);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left of it");
    }
}
