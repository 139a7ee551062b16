use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::Direction;

/// What is wrong with a link at the moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Where new connections go.
    pub(super) target: SocketAddr,
    pub(super) requests: Lane,
    pub(super) replies: Lane,
    /// No end of a connection is passed on.
    pub(super) half_open: bool,
    /// New connections are refused.
    pub(super) refuse: bool,
    /// How often all connections were reset: who was there at an earlier count is reset too.
    pub(super) resets: u64,
}

/// One direction of a link, and what stands in the way there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    pub(super) delay: Duration,
    pub(super) bytes_per_second: Option<u32>,
    pub(super) black_hole: bool,
    /// How many bytes still pass before a connection is reset.
    pub(super) cut_after: Option<u64>,
    /// When something was last passed on.
    pub(super) last_carried: Option<Instant>,
}

impl Link {
    /// A link with nothing wrong.
    pub(super) fn to(target: SocketAddr) -> Self {
        Self {
            target,
            requests: Lane::default(),
            replies: Lane::default(),
            half_open: false,
            refuse: false,
            resets: 0,
        }
    }

    /// Nothing is wrong any more. What has been remains.
    pub(super) fn heal(&mut self) {
        let (requests, replies) = (self.requests.healed(), self.replies.healed());
        *self = Self { resets: self.resets, requests, replies, ..Self::to(self.target) };
    }

    /// Sets something in each direction that is meant.
    pub(super) fn each(&mut self, direction: Direction, set: impl Fn(&mut Lane)) {
        if direction.covers(Direction::Requests) {
            set(&mut self.requests);
        }
        if direction.covers(Direction::Replies) {
            set(&mut self.replies);
        }
    }

    /// Whether the packets that open a connection arrive: they go both ways.
    pub(super) const fn opens(&self) -> bool {
        !self.requests.holds() && !self.replies.holds()
    }
}

impl Lane {
    fn healed(&self) -> Self {
        Self { last_carried: self.last_carried, ..Self::default() }
    }

    /// Whether nothing passes at all.
    pub(super) const fn holds(&self) -> bool {
        self.black_hole || matches!(self.bytes_per_second, Some(0))
    }

    /// How many bytes may be passed at once: of a throttled link those of 20 ms.
    pub(super) fn portion(&self) -> usize {
        let throttled =
            self.bytes_per_second.map_or(usize::MAX, |rate| (rate as usize / 50).max(1));
        let until_cut = self.cut_after.map_or(u64::MAX, |left| left);
        throttled.min(usize::try_from(until_cut).unwrap_or(usize::MAX))
    }

    /// How long so many bytes keep the link busy.
    pub(super) fn busy_for(&self, bytes: usize) -> Duration {
        match self.bytes_per_second {
            Some(rate @ 1..) => Duration::from_secs_f64(bytes as f64 / f64::from(rate)),
            _ => Duration::ZERO,
        }
    }
}
