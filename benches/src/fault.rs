use std::fmt;

use clap::ValueEnum;
use rustix::process::Signal;
use serde::Serialize;

/// What is done to the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// SIGTERM: it ends its work, gives the lease back and exits.
    Resign,
    /// SIGUSR1: it ends its work, gives the lease back and stands by.
    StepDown,
    /// SIGKILL: it is gone from one instant to the next.
    Crash,
    /// SIGSTOP: it does nothing for a while, knows nothing of it, and then wakes up.
    Freeze,
}

impl Fault {
    /// All there are, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Resign, Self::StepDown, Self::Crash, Self::Freeze];

    /// As it is written on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resign => "resign",
            Self::StepDown => "step-down",
            Self::Crash => "crash",
            Self::Freeze => "freeze",
        }
    }

    /// What it is, for a reader who sees the word for the first time.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Resign => "the leader is told to exit (SIGTERM), and gives the lease back first",
            Self::StepDown => "the leader is told to step down (SIGUSR1), and stays a candidate",
            Self::Crash => "the leader is killed (SIGKILL)",
            Self::Freeze => "the leader is frozen (SIGSTOP), and woken once another leads",
        }
    }

    /// What does it.
    pub(crate) const fn signal(self) -> Signal {
        match self {
            Self::Resign => Signal::TERM,
            Self::StepDown => Signal::USR1,
            Self::Crash => Signal::KILL,
            Self::Freeze => Signal::STOP,
        }
    }

    /// Whether the process ends by it, and has to be started again.
    pub(crate) const fn ends_process(self) -> bool {
        matches!(self, Self::Resign | Self::Crash)
    }

    /// Whether the successor has to wait for the end of the lease: after a crash only where the
    /// store cannot prove that the holder is gone.
    pub(crate) fn waits_for_lease(self, proves_death: bool) -> bool {
        self == Self::Freeze || self == Self::Crash && !proves_death
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
