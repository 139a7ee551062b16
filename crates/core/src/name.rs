use std::{fmt, sync::Arc};

use crate::{Error, ErrorKind};

/// The longest name of a lease or a candidate, in bytes: that of a Kubernetes object.
const LONGEST: usize = 253;

/// The name of a lease: 1 to 253 bytes, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseName(Arc<str>);

impl LeaseName {
    /// A lease of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is empty, above 253 bytes, or has a control character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        checked("lease", name.as_ref()).map(|name| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who stands for election, by a name that people can read: a pod's, a host's.
///
/// Two candidates may bear the same name: what tells them apart is a random part that each
/// [`Elector`](crate::Elector) makes for itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Candidate(Arc<str>);

impl Candidate {
    /// A candidate of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is empty, above 253 bytes, or has a control character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        checked("candidate", name.as_ref()).map(|name| Self(name.into()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        self.0.clone()
    }
}

pub(crate) fn checked<'a>(whose: &str, name: &'a str) -> Result<&'a str, Error> {
    let refuse = |why: String| Err(Error::new(ErrorKind::Invalid, format!("name a {whose}"), why));
    if name.is_empty() {
        refuse("the name is empty; 1 to 253 bytes are needed".into())
    } else if name.len() > LONGEST {
        refuse(format!("the name has {} bytes; at most {LONGEST} are allowed", name.len()))
    } else if let Some(at) = name.find(char::is_control) {
        refuse(format!("the name has a control character at byte {at}; remove it"))
    } else {
        Ok(name)
    }
}
