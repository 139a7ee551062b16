//! The written form of a record, shared by every backend whose store keeps plain bytes.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    observation::{Era, Version},
    record::{FencingToken, Record, Stamp, Tenure},
};
use crate::name;

/// The newest format that is understood. A reader meets a newer one with
/// [`Unreadable::Newer`], so that an old candidate never misreads what a new one wrote.
pub const FORMAT: u64 = 1;

/// The longest written record, in bytes. What is longer was not written by us, and is not parsed.
pub const LONGEST: usize = 4096;

/// Why bytes are no record.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// Written by a newer version of this library.
    #[error(
        "written in format {0}, while this version reads up to {FORMAT}: update this candidate"
    )]
    Newer(u64),
    /// Torn, foreign or hostile: to be shown as [`Record::unreadable`], with a warning.
    #[error("{0}")]
    Foreign(String),
}

#[derive(Deserialize)]
struct Format {
    leasehold: u64,
}

/// Its beginning is the same in every record of one term, and in no other: see [`term_beginning`].
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    leasehold: u64,
    token: u64,
    tenure: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    era: String,
    lease_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stamp: Option<(String, u64)>,
}

/// What [`Record::to_json`] begins with while the term with this token holds the lease, whatever
/// else its renewals change; no record that is free, vacant or of another term begins so. A store
/// that can compare the beginning of a value can say by it whether a term is current.
pub fn term_beginning(token: FencingToken) -> String {
    format!(r#"{{"leasehold":{FORMAT},"token":{token},"tenure":"held","#)
}

impl Record {
    /// The record as one line of JSON, which says its format.
    pub fn to_json(&self) -> String {
        let written = Written {
            leasehold: FORMAT,
            token: self.token.number(),
            tenure: match self.tenure {
                Tenure::Free => "free",
                Tenure::Held { .. } => "held",
                Tenure::Vacant => "vacant",
            },
            holder: self.holder().map(str::to_owned),
            era: self.era.as_str().to_owned(),
            lease_ns: u64::try_from(self.lease_duration.as_nanos()).unwrap_or(u64::MAX),
            stamp: self.stamp.map(|stamp| (stamp.author.to_string(), stamp.attempt)),
        };
        // Strings and numbers only: there is nothing that could fail.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// The record that was written as [`Record::to_json`] does.
    ///
    /// # Errors
    /// The bytes are of a newer format, or no record: then the message says why.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        let foreign = |why: String| Unreadable::Foreign(why);
        if bytes.len() > LONGEST {
            return Err(foreign(format!("{} bytes long, at most {LONGEST} are read", bytes.len())));
        }
        let Format { leasehold } =
            serde_json::from_slice(bytes).map_err(|e| foreign(format!("not a record: {e}")))?;
        if leasehold > FORMAT {
            return Err(Unreadable::Newer(leasehold));
        }
        let written: Written<'_> =
            serde_json::from_slice(bytes).map_err(|e| foreign(format!("not a record: {e}")))?;
        let token = FencingToken::new(written.token).ok_or_else(|| {
            foreign(format!("the token {} is above {}", written.token, Version::MAX))
        })?;
        let lease_duration = Duration::from_nanos(written.lease_ns);
        if lease_duration > Self::LONGEST_LEASE {
            return Err(foreign(format!(
                "the lease duration {lease_duration:?} is above {:?}",
                Self::LONGEST_LEASE
            )));
        }
        let stamp = match written.stamp {
            None => None,
            Some((author, attempt)) => Some(Stamp {
                author: author.parse().map_err(|()| {
                    foreign(format!("the author {author:?} is not 16 hexadecimal digits"))
                })?,
                attempt,
            }),
        };
        let tenure = match (written.tenure, written.holder) {
            ("free", None) => Tenure::Free,
            ("vacant", None) => Tenure::Vacant,
            // Without a stamp nobody could tell this term from another of the same name.
            ("held", Some(holder)) if stamp.is_some() && !lease_duration.is_zero() => {
                let holder =
                    name::checked("holder", &holder).map_err(|error| foreign(error.to_string()))?;
                Tenure::Held { holder: Arc::from(holder) }
            }
            (tenure, holder) => {
                return Err(foreign(format!(
                    "the tenure {tenure:?} does not go with the holder {holder:?}"
                )));
            }
        };
        Ok(Self { era: Era::new(written.era), token, lease_duration, stamp, tenure })
    }
}
