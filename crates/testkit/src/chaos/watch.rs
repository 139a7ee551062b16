use std::{collections::VecDeque, sync::Arc};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use leasehold_core::{Error, ErrorKind, Observation};

use super::lock::Link;
use crate::Dice;

/// How many old observations may be shown again.
const REMEMBERED: usize = 8;

/// A watch on which things go wrong.
pub(super) struct ChaosWatch {
    link: Arc<Link>,
    inner: BoxStream<'static, Result<Observation, Error>>,
    dice: Dice,
    old: VecDeque<Observation>,
    /// To be shown next, before anything else is asked for.
    held: Option<Observation>,
    muted: bool,
    over: bool,
}

impl ChaosWatch {
    pub(super) fn new(
        link: Arc<Link>,
        inner: BoxStream<'static, Result<Observation, Error>>,
        dice: Dice,
    ) -> Self {
        Self { link, inner, dice, old: VecDeque::new(), held: None, muted: false, over: false }
    }

    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Observation, Error>> {
        Box::pin(stream::unfold(self, |mut watch| async move {
            let item = watch.next().await?;
            Some((item, watch))
        }))
    }

    async fn next(&mut self) -> Option<Result<Observation, Error>> {
        if self.over {
            return None;
        }
        if let Some(seen) = self.held.take() {
            return Some(Ok(seen));
        }
        loop {
            let item = self.inner.next().await?;
            self.link.pause(std::time::Duration::ZERO).await;
            self.link.passage().await;
            let Ok(seen) = item else { return Some(item) };
            if self.link.is_stopped() {
                return Some(Ok(seen));
            }
            let config = &self.link.config;
            if self.dice.chance(config.watch_end) {
                return None;
            }
            if self.dice.chance(config.watch_error) {
                self.over = true;
                let message = "a fault was planned";
                return Some(Err(Error::new(ErrorKind::Unreachable, "watch the lease", message)));
            }
            self.muted |= self.dice.chance(config.watch_mute);
            let dropped = self.dice.chance(config.watch_drop);
            let delay = self.dice.up_to(config.delay_by);
            if self.dice.chance(config.watch_delay) {
                self.link.pause(delay).await;
            }
            let repeat = self.dice.chance(config.watch_repeat);
            let again = self.dice.below(REMEMBERED as u64) as usize % self.old.len().max(1);
            let old = self.old.get(again).cloned();
            if self.old.len() == REMEMBERED {
                self.old.pop_front();
            }
            self.old.push_back(seen.clone());
            match old {
                _ if self.muted || dropped => {}
                Some(old) if repeat => {
                    self.held = Some(seen);
                    return Some(Ok(old));
                }
                _ => return Some(Ok(seen)),
            }
        }
    }
}
