use std::{sync::Arc, time::Duration};

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Candidate, Clock, Error, Leadership, LeaseLock, Status, Timing,
    time::{term::Overrun, warden::Warden},
};

/// What an elector asks of its driver.
pub(crate) enum Command {
    Campaign(Campaign),
    /// Answered when the term that was there has been given back; false if there was none.
    StepDown(oneshot::Sender<bool>),
    /// Answered as soon as nothing is left to be given back.
    Settle(oneshot::Sender<()>),
}

/// Somebody wants to lead.
pub(crate) struct Campaign {
    /// The guard, or why there is none. Its end withdraws the campaign.
    pub(crate) reply: oneshot::Sender<Result<Leadership, Error>>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) overrun: Overrun,
}

pub(crate) struct Setup {
    pub(crate) lock: Arc<dyn LeaseLock>,
    pub(crate) candidate: Candidate,
    pub(crate) timing: Timing,
    pub(crate) drain: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) warden: Warden,
    pub(crate) status: watch::Sender<Status>,
}
