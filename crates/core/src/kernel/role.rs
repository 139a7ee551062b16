use super::{
    event::End,
    holding::{Holding, Sent},
};
use crate::{FencingToken, Moment};

/// What a candidate is at present.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Idle,
    Standby,
    /// A claim was sent, and nothing is known of it. What is known of the store is what it names.
    Claiming(Holding),
    Leading(Holding),
    /// The work was told to stop, and is renewed for meanwhile.
    Draining(Holding, Drain),
    /// The work must not go on, and has not ended.
    Ended(FencingToken, End),
    /// Nobody works: the lease is given back, if it is still that of this term.
    Releasing(Release),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Drain {
    pub(super) since: Moment,
    pub(super) why: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Release {
    pub(super) token: FencingToken,
    /// The unanswered attempts that are left.
    pub(super) tries: u8,
    /// A claim of this token may have been written unseen.
    pub(super) unsure: bool,
    /// Given up of one's own will.
    pub(super) willing: bool,
    /// The next campaign was asked for already.
    pub(super) again: bool,
}

impl Release {
    /// The end of the process may wait for this, and the lease ends by itself.
    pub(super) const TRIES: u8 = 2;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Out {
    pub(super) since: Moment,
    pub(super) token: FencingToken,
}

/// The request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flight {
    Observe,
    /// `Vacant` or `Free`, written by a standby.
    Prepare,
    Claim(Sent),
    Renew(Sent),
    Release,
}
