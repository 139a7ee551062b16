use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::record::{RandomPart, Record};

/// The longest witness that is shown as it is, in bytes.
const LONGEST_SHOWN: usize = 40;

/// Which store this is: its memory, as far as the store can tell one from another.
///
/// Redis' replication id, etcd's cluster id, a Lease's uid, a host's boot. Two observations of
/// different eras cannot be compared, and every wait starts anew when the era changes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Era(Arc<str>);

impl Era {
    /// An era by the store's own name for it.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The store's own name for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Era({})", self.0)
    }
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number that grows with every write of a lease, and whatever else its store compares.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version {
    number: u64,
    witness: Option<Arc<str>>,
}

impl Version {
    /// The greatest number that is believed, 2^62: above it there is no room to grow.
    pub const MAX: u64 = 1 << 62;

    /// The version of a lease that has no record and, as far as the store knows, never had one.
    pub const ABSENT: Self = Self { number: 0, witness: None };

    /// A version, unless the number is above [`Version::MAX`].
    pub const fn new(number: u64) -> Option<Self> {
        if number > Self::MAX { None } else { Some(Self { number, witness: None }) }
    }

    /// Adds what the store compares besides the number: a uid, an inode, the old value.
    #[must_use]
    pub fn with_witness(mut self, witness: impl Into<Arc<str>>) -> Self {
        self.witness = Some(witness.into());
        self
    }

    /// The number that grows.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// What the store compares besides the number.
    pub fn witness(&self) -> Option<&str> {
        self.witness.as_deref()
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.witness {
            None => write!(f, "{}", self.number),
            Some(witness) if witness.len() <= LONGEST_SHOWN => {
                write!(f, "{}/{witness}", self.number)
            }
            // It may be a whole object, with what others keep there. Two are told apart.
            Some(witness) => {
                let mut hasher = DefaultHasher::new();
                witness.hash(&mut hasher);
                write!(f, "{}/#{:016x}", self.number, hasher.finish())
            }
        }
    }
}

/// What the store shows about a lease at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Observation {
    /// Which store this is.
    pub era: Era,
    /// The version that a swap must name to replace what is seen here.
    pub version: Version,
    /// What is written, or none: never written, or deleted.
    pub record: Option<Record>,
    /// The store proves that nobody can be at work under this record: its holder is dead, or, if it
    /// names none, everybody who was there when it was written. The lease may be taken at once.
    /// Only a store that can prove it ever sets this, and none that may show an older record than
    /// the newest (a replica that lagged): the death of that one's holder would prove nothing.
    pub holder_gone: bool,
    /// Whom those who keep the store would rather have lead, by its name, or by its name and random
    /// part (`NAME_PART`). Another who leads steps down, and others who stand by leave a lease that
    /// is free to it for a lease duration. It is a wish: no promise rests on it, and a store that
    /// knows one forgets it with the next term.
    pub preferred: Option<Arc<str>>,
}

impl Observation {
    /// A record that is seen at a version.
    pub const fn of(era: Era, version: Version, record: Record) -> Self {
        Self { era, version, record: Some(record), holder_gone: false, preferred: None }
    }

    /// Nothing is written.
    pub const fn absent(era: Era, version: Version) -> Self {
        Self { era, version, record: None, holder_gone: false, preferred: None }
    }

    /// Whether the candidate of this name and random part is the one that is [`preferred`](Self::preferred).
    pub fn prefers(&self, name: &str, part: RandomPart) -> bool {
        self.preferred.as_deref().and_then(|preferred| preferred.strip_prefix(name)).is_some_and(
            |rest| rest.is_empty() || rest.strip_prefix('_') == Some(&*part.to_string()),
        )
    }
}

/// What the store decided about a swap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// The record was written, and this is how the store showed it then. It may have been replaced
    /// since, by somebody who was free to.
    Written(Observation),
    /// Nothing was written: something else than the expected observation was there. This is what
    /// it was, or none where the store refused and did not show it.
    Refused(Option<Observation>),
}
