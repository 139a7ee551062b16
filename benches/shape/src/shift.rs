use std::{future::Future, sync::Arc, time::Duration};

use serde_json::json;
use tokio::time::{self, MissedTickBehavior};

use crate::{Voice, monotonic};

/// The work of one term: to ask, again and again, whether it may work. However it ends, also by being
/// dropped, its end is told.
#[derive(Debug)]
pub struct Shift {
    voice: Arc<Voice>,
    token: Option<u64>,
    last: Option<u64>,
    why: &'static str,
}

impl Shift {
    /// The work begins, and is told.
    pub fn start(voice: &Arc<Voice>, token: Option<u64>) -> Self {
        voice.say("start", json!({"token": token}));
        Self { voice: voice.clone(), token, last: None, why: "lost" }
    }

    /// Works until something happens, or it may no longer: says what happened, or none. Unless
    /// [`Self::because`] says otherwise, it ends because the lease was lost.
    pub async fn until<T>(
        &mut self,
        every: Duration,
        may: impl Fn() -> bool,
        happens: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::pin!(happens);
        let mut ticks = time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                happened = &mut happens => return Some(happened),
                _ = ticks.tick() => {
                    // In this order a freeze between the two can never count work that was not allowed.
                    let now = monotonic();
                    if !may() {
                        return None;
                    }
                    self.last = Some(now);
                }
            }
        }
    }

    /// Why it is about to end: `resigned`, `lost` or `lapsed`.
    pub fn because(&mut self, why: &'static str) {
        self.why = why;
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        let Self { token, last, why, .. } = self;
        self.voice.say("stop", json!({"token": token, "last": last, "why": why}));
    }
}
