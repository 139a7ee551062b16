//! What goes wrong with a member or on the way to it, and what follows for the next request.

use std::{error::Error, io, sync::Arc, time::Duration};

use tonic::{Code, Status};

/// Shared by all who wait for one connection.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// What could not be opened.
    Way(Arc<dyn Error + Send + Sync>),
    /// What was open, and broke.
    Broke(Arc<dyn Error + Send + Sync>),
    /// Not connected, or not logged in, in this time.
    Late(Duration),
    /// What etcd refused, in its words.
    Said(Code, Arc<str>),
    /// It belongs to this cluster, and other members to that one.
    OtherCluster(u64, u64),
}

impl Trouble {
    /// What etcd says when it ends a watch.
    pub(crate) fn said(reason: &str) -> Self {
        // As Go prints it: "rpc error: code = PermissionDenied desc = etcdserver: permission denied"
        let words = reason.rsplit_once("desc = ").map_or(reason, |(_, words)| words);
        let code = match reason {
            _ if reason.contains("PermissionDenied") => Code::PermissionDenied,
            _ if reason.contains("Unauthenticated") => Code::Unauthenticated,
            _ if reason.contains("Unavailable") => Code::Unavailable,
            _ => Code::Unknown,
        };
        Self::Said(code, words.into())
    }

    /// The connection is not to be used any more.
    pub(crate) const fn breaks_the_connection(&self) -> bool {
        !matches!(self, Self::Said(..))
    }

    /// Another member may do better.
    pub(crate) fn is_the_members(&self) -> bool {
        match self {
            Self::Way(_) | Self::Broke(_) | Self::Late(_) | Self::OtherCluster(..) => true,
            Self::Said(Code::Unavailable | Code::DataLoss, words) => {
                // The cluster's, and over by now.
                !words.contains("leader changed")
            }
            Self::Said(_, words) => {
                self.is_a_refusal_to_listen() || words.contains("proposal dropped")
            }
        }
    }

    /// Refused by a member before it did anything: another one may be asked at once.
    pub(crate) fn is_a_refusal_to_listen(&self) -> bool {
        matches!(self, Self::Said(_, words) if words.ends_with("etcdserver: no leader")
            || words.contains("rpc not supported for learner")
            || words.contains("not capable"))
    }

    /// We are not, or no more, who we said we were: etcd did nothing, and asks for another login.
    pub(crate) fn is_a_login_that_ended(&self) -> bool {
        match self {
            Self::Said(Code::Unauthenticated, _) => true,
            // Authentication was turned on since we came without a name.
            Self::Said(_, words) => {
                words.contains("revision of auth store is old")
                    || words.contains("user name is empty")
            }
            Self::Way(_) | Self::Broke(_) | Self::Late(_) | Self::OtherCluster(..) => false,
        }
    }

    /// The same, of a connection that was open.
    pub(crate) fn of_an_open_connection(self) -> Self {
        match self {
            Self::Way(error) => Self::Broke(error),
            other => other,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Way(Arc::new(error))
    }
}

impl From<tonic::transport::Error> for Trouble {
    fn from(error: tonic::transport::Error) -> Self {
        Self::Way(Arc::new(error))
    }
}

impl From<etcd_client::Error> for Trouble {
    fn from(error: etcd_client::Error) -> Self {
        match error {
            // One that came over the wire has no source.
            etcd_client::Error::GRpcStatus(status) if Error::source(&status).is_none() => {
                Self::Said(status.code(), status.message().into())
            }
            etcd_client::Error::GRpcStatus(status) => Self::Way(Arc::<Status>::new(status)),
            other => Self::Way(Arc::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What etcd says, as its `rpctypes` has it, and what follows.
    #[test]
    fn the_words_of_etcd_are_understood() {
        const MEMBERS: &str = "another member may do better";
        const UNHEARD: &str = "and nothing was done";
        const LOGIN: &str = "another login is needed";
        const OURS: &str = "every member would say so";
        for (code, words, follows) in [
            (Code::Unavailable, "etcdserver: no leader", UNHEARD),
            (Code::FailedPrecondition, "etcdserver: not capable", UNHEARD),
            (Code::FailedPrecondition, "etcdserver: rpc not supported for learner", UNHEARD),
            (Code::Unavailable, "etcdserver: server stopped", MEMBERS),
            (Code::Unavailable, "etcdserver: request timed out", MEMBERS),
            (
                Code::Unavailable,
                "etcdserver: request timed out, possibly due to previous leader failure",
                MEMBERS,
            ),
            (
                Code::Unavailable,
                "etcdserver: request timed out, possibly due to connection lost",
                MEMBERS,
            ),
            (
                Code::Unavailable,
                "etcdserver: request timed out, waiting for the applied index took too long",
                MEMBERS,
            ),
            (Code::Unavailable, "etcdserver: unhealthy cluster", MEMBERS),
            (Code::DataLoss, "etcdserver: corrupt cluster", MEMBERS),
            (Code::Unknown, "raft proposal dropped", MEMBERS),
            (Code::Unavailable, "etcdserver: leader changed", OURS),
            (Code::Unauthenticated, "etcdserver: invalid auth token", LOGIN),
            (Code::InvalidArgument, "etcdserver: revision of auth store is old", LOGIN),
            (Code::InvalidArgument, "etcdserver: user name is empty", LOGIN),
            (Code::PermissionDenied, "etcdserver: permission denied", OURS),
            (
                Code::InvalidArgument,
                "etcdserver: authentication failed, invalid user ID or password",
                OURS,
            ),
            (Code::FailedPrecondition, "etcdserver: authentication is not enabled", OURS),
            (Code::ResourceExhausted, "etcdserver: mvcc: database space exceeded", OURS),
            (Code::ResourceExhausted, "etcdserver: too many requests", OURS),
            (Code::InvalidArgument, "etcdserver: request is too large", OURS),
            (Code::OutOfRange, "etcdserver: mvcc: required revision has been compacted", OURS),
            (Code::Cancelled, "etcdserver: request canceled", OURS),
        ] {
            let said = Trouble::Said(code, words.into());
            let understood = match () {
                () if said.is_a_refusal_to_listen() => UNHEARD,
                () if said.is_a_login_that_ended() => LOGIN,
                () if said.is_the_members() => MEMBERS,
                () => OURS,
            };
            assert_eq!(understood, follows, "{words}");
            assert!(!said.breaks_the_connection(), "{words}");
            assert!(!said.is_a_refusal_to_listen() || said.is_the_members(), "{words}");
        }
    }
}
