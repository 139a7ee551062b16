use std::{collections::BTreeMap, sync::Arc};

use leasehold_core::FencingToken;
use tokio::sync::watch;

/// Which leases this process leads, and in which terms.
pub(crate) type Led = BTreeMap<Arc<str>, FencingToken>;

/// Follows what this process leads: [`Manager::elected`](crate::Manager::elected). It tells the gain
/// of a lease and its loss: a lease is told to be led before its work begins, and until its term is over
/// or the work has ended. (Where the task of [`Manager::start`](crate::Manager::start) is aborted or
/// dropped, it is told as lost at once, also while work that blocks its thread has not been dropped yet.)
///
/// It hands out copies, so that nobody who looks at it keeps the manager from going on.
#[derive(Clone, Debug)]
pub struct Elected {
    led: watch::Receiver<Led>,
}

impl Elected {
    pub(crate) fn new(mut led: watch::Receiver<Led>) -> Self {
        led.mark_changed();
        Self { led }
    }

    /// The leases that are led at this moment, by name, each with the token of its term.
    pub fn now(&self) -> BTreeMap<Arc<str>, FencingToken> {
        self.led.borrow().clone()
    }

    /// What is led, as soon as that is news; what is led at present the first time. None when the
    /// manager is gone. Changes that follow each other closely may be shown as one: the token tells.
    ///
    /// # Cancel safety
    /// Safe: no change is lost by it.
    pub async fn changed(&mut self) -> Option<BTreeMap<Arc<str>, FencingToken>> {
        self.led.changed().await.ok()?;
        Some(self.led.borrow_and_update().clone())
    }

    /// The token of the term in which the lease is led, as soon as it is: never, for a name that no lease
    /// has, or once the manager has stopped. None when all of its clones are gone.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn gained(&mut self, lease: &str) -> Option<FencingToken> {
        let led = self.led.wait_for(|led| led.contains_key(lease)).await.ok()?;
        led.get(lease).copied()
    }

    /// Ends when the lease is not led. None when all clones of the manager are gone.
    ///
    /// # Cancel safety
    /// Safe: it can be awaited again.
    pub async fn lost(&mut self, lease: &str) -> Option<()> {
        self.led.wait_for(|led| !led.contains_key(lease)).await.ok().map(drop)
    }
}
