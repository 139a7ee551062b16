use std::fmt;

use clap::ValueEnum;
use leasehold_testkit::Direction;
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
    /// Nothing passes between it and the store.
    Partition,
    /// What it sends does not arrive; it hears the store.
    PartitionRequests,
    /// What it sends arrives; it does not hear of that.
    PartitionReplies,
    /// SIGKILL to the store's server, all of its members, which is started again at once.
    StoreRestart,
}

/// How a fault is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// To the process.
    Signal(Signal),
    /// To its link: nothing passes in this direction.
    Cut(Direction),
    /// To the store, and so to all leases at once.
    Restart,
}

impl Fault {
    /// All there are, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Resign,
        Self::StepDown,
        Self::Crash,
        Self::Freeze,
        Self::Partition,
        Self::PartitionRequests,
        Self::PartitionReplies,
        Self::StoreRestart,
    ];

    /// As it is written on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resign => "resign",
            Self::StepDown => "step-down",
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::Partition => "partition",
            Self::PartitionRequests => "partition-requests",
            Self::PartitionReplies => "partition-replies",
            Self::StoreRestart => "store-restart",
        }
    }

    /// What it is, for a reader who sees the word for the first time.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Resign => "the leader is told to exit (SIGTERM), and gives the lease back first",
            Self::StepDown => "the leader is told to step down (SIGUSR1), and stays a candidate",
            Self::Crash => "the leader is killed (SIGKILL)",
            Self::Freeze => "the leader is frozen (SIGSTOP), and woken once another leads",
            Self::Partition => {
                "the leader's link to the store is cut, and healed once another leads"
            }
            Self::PartitionRequests => {
                "what the leader sends no longer arrives, until another leads"
            }
            Self::PartitionReplies => {
                "what the leader sends arrives, the answers do not, until another leads"
            }
            Self::StoreRestart => {
                "the store's server is killed and started again at once; 0 where the leader worked on through it"
            }
        }
    }

    /// What does it.
    pub(crate) const fn deed(self) -> Deed {
        match self {
            Self::Resign => Deed::Signal(Signal::TERM),
            Self::StepDown => Deed::Signal(Signal::USR1),
            Self::Crash => Deed::Signal(Signal::KILL),
            Self::Freeze => Deed::Signal(Signal::STOP),
            Self::Partition => Deed::Cut(Direction::Both),
            Self::PartitionRequests => Deed::Cut(Direction::Requests),
            Self::PartitionReplies => Deed::Cut(Direction::Replies),
            Self::StoreRestart => Deed::Restart,
        }
    }

    /// Whether it is done to the link: the contenders go through proxies then.
    pub(crate) const fn cuts(self) -> bool {
        matches!(self.deed(), Deed::Cut(_))
    }

    /// Whether the process ends by it, and has to be started again.
    pub(crate) const fn ends_process(self) -> bool {
        matches!(self, Self::Resign | Self::Crash)
    }

    /// Whether the successor has to wait for the end of the lease: after a crash only where the
    /// store cannot prove that the holder is gone.
    pub(crate) const fn waits_for_lease(self, proves_death: bool) -> bool {
        match self {
            Self::Resign | Self::StepDown | Self::StoreRestart => false,
            Self::Crash => !proves_death,
            Self::Freeze | Self::Partition | Self::PartitionRequests | Self::PartitionReplies => {
                true
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
