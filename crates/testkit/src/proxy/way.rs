use std::{
    collections::VecDeque,
    future,
    io::{self, ErrorKind},
};

use futures::FutureExt;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch,
    time::{self, Instant},
};

use super::{
    Direction,
    faults::{Lane, Link},
};

/// What is on its way through one connection in one direction.
#[derive(Debug)]
pub(super) struct Way {
    direction: Direction,
    parcels: VecDeque<Parcel>,
    /// How many bytes they hold.
    bytes: usize,
    /// Until then a throttled link is busy with what it has carried.
    busy_until: Instant,
    /// The sender has ended it.
    ended: bool,
    /// How its end went on.
    pub(super) end: Option<End>,
    /// The receiver takes nothing any more: what is sent goes nowhere.
    pub(super) broken: bool,
}

#[derive(Debug)]
struct Parcel {
    sent: Instant,
    load: Load,
}

#[derive(Debug)]
enum Load {
    Bytes(Vec<u8>),
    /// The sender has closed it.
    Close,
    /// The sender has reset it, or is gone.
    Reset,
}

/// What became of the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The receiver knows of it.
    Told,
    /// Nobody will ever tell the receiver.
    Swallowed,
    /// The whole connection is to be reset.
    Reset,
}

impl Way {
    /// Who sends more than this without anything getting through has to wait, as where a window is
    /// full.
    const FULL: usize = 256 * 1024;

    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            parcels: VecDeque::new(),
            bytes: 0,
            busy_until: Instant::now(),
            ended: false,
            end: None,
            broken: false,
        }
    }

    /// Whether the sender has closed or reset it, be it that the receiver does not know yet.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Waits until the sender has sent something that there is room for.
    pub(super) async fn arrival(&self, from: &TcpStream) {
        if self.ended || self.bytes >= Self::FULL {
            return future::pending().await;
        }
        // Where it fails, reading says why.
        let _ = from.readable().await;
    }

    /// Takes what the sender has sent.
    pub(super) fn take_in(&mut self, from: &TcpStream, link: &watch::Sender<Link>) {
        let mut buffer = [0; 16 * 1024];
        let load = match from.try_read(&mut buffer) {
            Ok(0) => Load::Close,
            Ok(_) if self.broken => return,
            Ok(read) => Load::Bytes(buffer[..read].to_vec()),
            Err(error) if is_not_yet(&error) => return,
            Err(_) => {
                if self.lane(&mut { *link.borrow() }).holds() {
                    // Who has reset a connection repeats nothing of what was lost on it.
                    self.parcels.clear();
                    self.bytes = 0;
                }
                Load::Reset
            }
        };
        match &load {
            Load::Bytes(bytes) => self.bytes += bytes.len(),
            Load::Close | Load::Reset => self.ended = true,
        }
        self.parcels.push_back(Parcel { sent: Instant::now(), load });
    }

    /// Waits until there is something that may be passed on.
    pub(super) async fn departure(&self, lane: &Lane, to: &TcpStream) {
        let Some(parcel) = self.parcels.front().filter(|_| !lane.holds()) else {
            return future::pending().await;
        };
        let due = self.due(parcel, lane);
        // To sleep until now takes a millisecond or two.
        if due > Instant::now() {
            time::sleep_until(due).await;
        }
        if matches!(parcel.load, Load::Bytes(_)) {
            // Where it fails, writing says why.
            let _ = to.writable().await;
        }
    }

    /// Passes on what is next, unless it was forbidden meanwhile.
    pub(super) fn pass_on(&mut self, link: &watch::Sender<Link>, to: &mut TcpStream) {
        // Nobody can change the link until this is done: who has forbidden something and sees it
        // pass would be right to wonder.
        link.send_if_modified(|link| {
            let half_open = link.half_open;
            let lane = self.lane(link);
            let now = Instant::now();
            let may_pass = |parcel: &&Parcel| !lane.holds() && self.due(parcel, lane) <= now;
            let next = self.parcels.front().filter(may_pass).map(|parcel| &parcel.load);
            self.end = match next {
                None => None,
                Some(Load::Close | Load::Reset) if half_open => Some(End::Swallowed),
                Some(Load::Reset) => Some(End::Reset),
                Some(Load::Close) => {
                    // Done at once, without waiting for anything.
                    let _ = to.shutdown().now_or_never();
                    Some(End::Told)
                }
                Some(Load::Bytes(_)) => self.write(lane, now, to),
            };
            if self.end.is_some() {
                self.parcels.clear();
            }
            false
        });
    }

    fn write(&mut self, lane: &mut Lane, now: Instant, to: &TcpStream) -> Option<End> {
        let Some(Parcel { load: Load::Bytes(bytes), .. }) = self.parcels.front_mut() else {
            return None;
        };
        let portion = bytes.len().min(lane.portion());
        let written = match to.try_write(&bytes[..portion]) {
            Ok(written) => written,
            Err(error) if is_not_yet(&error) => return None,
            Err(_) => {
                self.broken = true;
                self.parcels.retain(|parcel| !matches!(parcel.load, Load::Bytes(_)));
                self.bytes = 0;
                return None;
            }
        };
        if written > 0 {
            lane.last_carried = Some(now.into_std());
        }
        self.bytes -= written;
        bytes.drain(..written);
        if bytes.is_empty() {
            self.parcels.pop_front();
        }
        self.busy_until = now + lane.busy_for(written);
        let left = lane.cut_after?.saturating_sub(written as u64);
        lane.cut_after = (left > 0).then_some(left);
        (left == 0).then_some(End::Reset)
    }

    fn due(&self, parcel: &Parcel, lane: &Lane) -> Instant {
        (parcel.sent + lane.delay).max(self.busy_until)
    }

    const fn lane<'a>(&self, link: &'a mut Link) -> &'a mut Lane {
        match self.direction {
            Direction::Requests => &mut link.requests,
            Direction::Replies | Direction::Both => &mut link.replies,
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
