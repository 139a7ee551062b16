use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use super::observation::{Era, Version};

/// A number that strictly grows from term to term of one lease, across release, lapse, deletion
/// and restart. What the leader does carries it, and a [`Fence`](crate::Fence) refuses older ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(u64);

impl FencingToken {
    /// Below every token that a term can have.
    pub const ZERO: Self = Self(0);

    /// A token, unless the number is above [`Version::MAX`]: tokens are versions or one more.
    pub const fn new(number: u64) -> Option<Self> {
        if number > Version::MAX { None } else { Some(Self(number)) }
    }

    /// The number, to be stored beside what it protects.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The next one, unless there is none.
    pub(crate) const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }

    /// This one, or the version if that is greater.
    pub(crate) fn at_least(self, version: &Version) -> Self {
        Self(self.0.max(version.number()))
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The random part of a candidate: new for each elector, so that two electors with one name, in
/// one process or in two, never take each other's record for their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RandomPart(u64);

impl RandomPart {
    /// A new one, from the operating system's randomness.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// One that is known already: read from a store, or chosen by a test.
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RandomPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As it is displayed: 16 hexadecimal digits, and nothing else.
impl FromStr for RandomPart {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        bits.map(Self).ok_or(())
    }
}

impl fmt::Debug for RandomPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which write this is: whose, and the how-manieth. No two writes ever bear the same stamp, so a
/// record that is equal to one seen before *is* that one, even where somebody else touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The random part of the elector that wrote it.
    pub author: RandomPart,
    /// Counts that elector's writes, sent or not.
    pub attempt: u64,
}

/// Whose the lease is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tenure {
    /// Released by its holder, or made free by an operator: may be taken at once, in the era that
    /// it was written in, unless its token is below that of a term that was seen there before (the
    /// store then went back).
    Free,
    /// Held by the candidate of this name. Its random part is the record's [`Stamp::author`].
    Held {
        /// The readable name of the holder.
        holder: Arc<str>,
    },
    /// Nobody is named, and nothing is proven: somebody may hold it. It has to be waited out.
    Vacant,
}

/// What a store keeps about a lease.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// The era that it was written in.
    pub era: Era,
    /// The token of the term that holds it, or else of the last one.
    pub token: FencingToken,
    /// How long it has to be seen unchanged before another may take it.
    pub lease_duration: Duration,
    /// Which write this is; none where no elector wrote it.
    pub stamp: Option<Stamp>,
    /// Whose the lease is.
    pub tenure: Tenure,
}

impl Record {
    /// The longest lease duration that is believed, a day: a record that claims more would lock
    /// everybody out.
    pub const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

    /// What is shown for something that cannot be read or believed: it names nobody, proves
    /// nothing, and claims no duration of its own, so that the longest known one is waited.
    pub const fn unreadable(era: Era) -> Self {
        Self {
            era,
            token: FencingToken::ZERO,
            lease_duration: Duration::ZERO,
            stamp: None,
            tenure: Tenure::Vacant,
        }
    }

    /// A lease that an operator makes free before anybody has held it.
    pub fn free(era: Era) -> Self {
        Self {
            era,
            token: FencingToken::ZERO,
            lease_duration: Duration::ZERO,
            stamp: Some(Stamp { author: RandomPart::random(), attempt: 0 }),
            tenure: Tenure::Free,
        }
    }

    /// The name of the holder, if it is held.
    pub fn holder(&self) -> Option<&str> {
        match &self.tenure {
            Tenure::Held { holder } => Some(holder),
            Tenure::Free | Tenure::Vacant => None,
        }
    }

    /// Whether it is held by the elector with this random part.
    pub fn is_held_by(&self, part: RandomPart) -> bool {
        matches!(self.tenure, Tenure::Held { .. })
            && self.stamp.is_some_and(|stamp| stamp.author == part)
    }
}
