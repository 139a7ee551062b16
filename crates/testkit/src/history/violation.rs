use std::{fmt, time::Duration};

/// Something that must never happen in an election, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A term was worked in after the next had begun.
    Overlap {
        /// Who worked on.
        old: (String, u64),
        /// Who had begun.
        new: (String, u64),
        /// How long after the beginning the old term was last worked in.
        by: Duration,
    },
    /// The work of a term had not ended when the next began, though it did nothing any more.
    LateEnd {
        /// Whose work it was.
        old: (String, u64),
        /// Who had begun.
        new: (String, u64),
        /// How long after the beginning it ended.
        by: Duration,
    },
    /// A term began with a token that is not above those before.
    TokenNotGrown {
        /// The term before.
        old: (String, u64),
        /// The term that began.
        new: (String, u64),
    },
    /// Somebody worked without a term, or after its end.
    WorkOutsideTerm {
        /// Who, under which token.
        term: (String, u64),
        /// When.
        at: Duration,
    },
    /// A fence admitted an older token after a newer one.
    StaleAdmitted {
        /// What was admitted.
        term: (String, u64),
        /// What had been admitted before.
        newest: u64,
        /// When.
        at: Duration,
    },
    /// A fence refused a token though it had seen none that is newer.
    FreshRefused {
        /// What was refused.
        term: (String, u64),
        /// When.
        at: Duration,
    },
    /// There were no more faults, and nobody led.
    NobodyLeads {
        /// When the faults ended.
        since: Duration,
        /// How much later nobody led.
        within: Duration,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { old: (old, t), new: (new, u), by } => {
                write!(
                    f,
                    "two leaders: {old} worked in term {t} {by:?} after {new} had begun term {u}"
                )
            }
            Self::LateEnd { old: (old, t), new: (new, u), by } => {
                write!(
                    f,
                    "a late end: the work of {old} in term {t} ended {by:?} after {new} had begun term {u}"
                )
            }
            Self::TokenNotGrown { old: (old, t), new: (new, u) } => {
                write!(
                    f,
                    "a token that did not grow: {new} began term {u} after {old} had begun term {t}"
                )
            }
            Self::WorkOutsideTerm { term: (who, t), at } => {
                write!(f, "work outside of a term: {who} worked under token {t} at {at:?}")
            }
            Self::StaleAdmitted { term: (who, t), newest, at } => {
                write!(f, "a stale write: {who} was admitted with {t} at {at:?}, after {newest}")
            }
            Self::FreshRefused { term: (who, t), at } => {
                write!(
                    f,
                    "a refused leader: {who} was refused with {t} at {at:?}, and no newer token was seen"
                )
            }
            Self::NobodyLeads { since, within } => {
                write!(
                    f,
                    "nobody leads: the faults ended at {since:?}, and {within:?} later there is no leader"
                )
            }
        }
    }
}
