use tokio::sync::watch;

use crate::Status;

/// Follows what an elector knows of its election: [`Elector::status`](crate::Elector::status).
///
/// It hands out copies, so that nobody who looks at a status keeps the elector from going on.
#[derive(Clone, Debug)]
pub struct StatusWatch {
    status: watch::Receiver<Status>,
}

impl StatusWatch {
    pub(crate) const fn new(status: watch::Receiver<Status>) -> Self {
        Self { status }
    }

    /// The status at this moment.
    pub fn now(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The next status that was not shown yet; the present one the first time. None when the elector
    /// is gone.
    ///
    /// # Cancel safety
    /// Safe: no status is lost by it.
    pub async fn changed(&mut self) -> Option<Status> {
        self.status.changed().await.ok()?;
        Some(self.status.borrow_and_update().clone())
    }

    /// The first status from now on that is as wanted, the present one included. None when the
    /// elector is gone.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Status) -> bool + Send) -> Option<Status> {
        let mut status = self.status.borrow_and_update().clone();
        while !wanted(&status) {
            status = self.changed().await?;
        }
        Some(status)
    }
}
