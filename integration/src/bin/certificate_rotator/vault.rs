//! Where certificates are kept, and late writes are refused.

use std::{
    io,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use leasehold::FencingToken;

use crate::certificates::Certificates;

/// A place that replaces all that belongs together as one, and only if it is still what was seen.
#[async_trait]
pub(crate) trait Vault: Send + Sync + 'static {
    /// What counts at present.
    async fn newest(&self) -> io::Result<Option<Stored>>;

    /// Replaces what was seen, none where nothing was; refused if that is no more what counts.
    async fn replace(
        &self,
        seen: Option<&Stored>,
        token: FencingToken,
        certificates: Option<Certificates>,
    ) -> io::Result<Stored>;
}

/// What a vault holds, with the token of the term that wrote it.
#[derive(Clone)]
pub(crate) struct Stored {
    /// Which write this is, as the vault has it.
    pub(crate) mark: String,
    pub(crate) token: FencingToken,
    /// None where nobody has made any yet.
    pub(crate) certificates: Option<Certificates>,
}

/// Shows the token of a new term, by a write: whoever has read before that is refused from now on, and
/// whoever reads after it sees a newer token than its own.
pub(crate) async fn show(vault: &dyn Vault, token: FencingToken) -> io::Result<Stored> {
    let newest = vault.newest().await?;
    match &newest {
        Some(seen) if seen.token == token => Ok(seen.clone()),
        Some(seen) if seen.token > token => {
            let why = format!("token {token} is older than {}", seen.token);
            Err(io::Error::new(io::ErrorKind::AlreadyExists, why))
        }
        _ => {
            let certificates = newest.as_ref().and_then(|seen| seen.certificates.clone());
            vault.replace(newest.as_ref(), token, certificates).await
        }
    }
}

/// Replaces what was shown by what was made.
pub(crate) async fn rotate(
    vault: &dyn Vault,
    shown: &Stored,
    token: FencingToken,
    made: Certificates,
) -> io::Result<Stored> {
    vault.replace(Some(shown), token, Some(made)).await
}

impl Stored {
    /// Its files, by name.
    pub(crate) fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = vec![("token", self.token.to_string())];
        if let Some(certificates) = self.certificates.clone() {
            files.extend([
                ("ca.crt", certificates.authority),
                ("ca.key", certificates.authority_key),
                ("tls.crt", certificates.server),
                ("tls.key", certificates.server_key),
                ("ca.until", millis(certificates.authority_until)),
                ("issued", millis(certificates.issued)),
            ]);
        }
        files
    }

    /// Of its files.
    pub(crate) fn of_files(
        mark: String,
        file: impl Fn(&str) -> io::Result<Option<String>>,
    ) -> io::Result<Self> {
        let text = |name: &str| -> io::Result<String> {
            file(name)?.ok_or_else(|| io::ErrorKind::InvalidData.into())
        };
        let number = |name: &str| -> io::Result<u64> {
            text(name)?.parse().map_err(|_| io::ErrorKind::InvalidData.into())
        };
        let moment = |name: &str| -> io::Result<SystemTime> {
            Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(number(name)?))
        };
        let token = FencingToken::new(number("token")?).ok_or(io::ErrorKind::InvalidData)?;
        let certificates = match file("issued")? {
            None => None,
            Some(_) => Some(Certificates {
                authority: text("ca.crt")?,
                authority_key: text("ca.key")?,
                authority_until: moment("ca.until")?,
                server: text("tls.crt")?,
                server_key: text("tls.key")?,
                issued: moment("issued")?,
            }),
        };
        Ok(Self { mark, token, certificates })
    }
}

pub(crate) fn millis(moment: SystemTime) -> String {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis().to_string()
}
