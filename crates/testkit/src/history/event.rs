use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Something that happened, when, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, on a clock that all candidates share.
    pub at: Duration,
    /// To which candidate: one name for each elector, not for each process or pod.
    pub candidate: String,
    /// What.
    pub what: What,
}

/// What can happen to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It wants to lead.
    Campaigned,
    /// A term began: from here on the term before must do nothing any more.
    Began {
        /// The token of the term.
        token: u64,
    },
    /// It acted in the name of a term.
    Worked {
        /// The token of the term.
        token: u64,
    },
    /// The work of a term was over: nothing of it was left.
    Stopped {
        /// The token of the term.
        token: u64,
    },
    /// A fence let it pass.
    Admitted {
        /// The token that it showed.
        token: u64,
    },
    /// A fence refused it.
    Refused {
        /// The token that it showed.
        token: u64,
    },
    /// It was told that the lease was given back.
    Released {
        /// The token of the term.
        token: u64,
    },
    /// It died, with everything that it was doing.
    Crashed,
    /// It stood still from here on.
    Froze,
    /// It went on as if no time had passed.
    Thawed,
    /// Something was done to the store or to the network. For people to read.
    Fault {
        /// What.
        what: String,
    },
    /// There are no more faults: so much later somebody must lead.
    Calm {
        /// How much later.
        within: Duration,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, candidate, what } = self;
        write!(f, "{:>10.3} ms  {candidate:<12} ", at.as_secs_f64() * 1e3)?;
        match what {
            What::Campaigned => write!(f, "campaigns"),
            What::Began { token } => write!(f, "begins term {token}"),
            What::Worked { token } => write!(f, "works in term {token}"),
            What::Stopped { token } => write!(f, "has stopped in term {token}"),
            What::Admitted { token } => write!(f, "is admitted with {token}"),
            What::Refused { token } => write!(f, "is refused with {token}"),
            What::Released { token } => write!(f, "has given back term {token}"),
            What::Crashed => write!(f, "dies"),
            What::Froze => write!(f, "freezes"),
            What::Thawed => write!(f, "thaws"),
            What::Fault { what } => write!(f, "{what}"),
            What::Calm { within } => write!(f, "no more faults; somebody leads in {within:?}"),
        }
    }
}
