use std::{borrow::Cow, error, fmt};

type Source = Box<dyn error::Error + Send + Sync>;

/// What kind of trouble it is: what a caller can act upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something that the caller passed in cannot be right: a name, a duration, a URL, a path.
    Invalid,
    /// The store was not reached, or broke off.
    Unreachable,
    /// The store did not answer in time.
    Timeout,
    /// The store does not let us: credentials, permissions, a read-only or full disk.
    Denied,
    /// The lease is written in a newer format than this version reads.
    NewerFormat,
    /// The elector does something else already: one campaign or one term at a time.
    Busy,
    /// The campaign was told to end before the lease was won. An expected end.
    Cancelled,
    /// The store answered with something that makes no sense.
    Unexpected,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timed out",
            Self::Denied => "denied",
            Self::NewerFormat => "newer format",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Unexpected => "unexpected",
        })
    }
}

/// What went wrong, where, and what to do about it. Never shows a secret.
pub struct Error {
    kind: ErrorKind,
    /// What was being done and to what, as one reads it after "could not".
    operation: Cow<'static, str>,
    message: Cow<'static, str>,
    source: Option<Source>,
}

impl Error {
    /// An error of a kind, in an operation on a store: `Error::new(Timeout, "read lease \"jobs\"
    /// at 10.0.0.5:6379", "no answer in 3 s")`. The message says what is wrong, with the numbers,
    /// and what to do.
    pub fn new(
        kind: ErrorKind,
        operation: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, operation: operation.into(), message: message.into(), source: None }
    }

    /// The error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of trouble it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done, and to what.
    pub fn operation(&self) -> &str {
        &self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.operation, self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.kind)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
