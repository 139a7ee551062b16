use std::{io, sync::Arc};

use tokio::{net::TcpStream, sync::watch};

use super::{
    Direction,
    faults::Link,
    way::{End, Way},
};

/// One client, and its connection to the server.
#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    link: Arc<watch::Sender<Link>>,
    changes: watch::Receiver<Link>,
    requests: Way,
    replies: Way,
    /// How often connections had been reset when it began.
    resets: u64,
}

impl Connection {
    pub(super) fn new(client: TcpStream, link: Arc<watch::Sender<Link>>) -> Self {
        let changes = link.subscribe();
        let resets = changes.borrow().resets;
        let (requests, replies) = (Way::new(Direction::Requests), Way::new(Direction::Replies));
        Self { client, link, changes, requests, replies, resets }
    }

    /// Carries what both sides send, until both have closed it or one of them is gone.
    pub(super) async fn carry(mut self) {
        match self.open().await {
            Ok(Some(server)) => self.carry_to(server).await,
            // The client has gone away before it was connected.
            Ok(None) => {}
            Err(_) => drop(self.client.set_zero_linger()),
        }
    }

    /// Connects to the server, once packets pass in both directions.
    async fn open(&mut self) -> io::Result<Option<TcpStream>> {
        loop {
            let now = *self.changes.borrow_and_update();
            if now.resets != self.resets {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if now.opens() {
                self.client.set_nodelay(true)?;
                let server = TcpStream::connect(now.target).await?;
                server.set_nodelay(true)?;
                return Ok(Some(server));
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return Ok(None) },
                () = self.requests.arrival(&self.client) => {
                    self.requests.take_in(&self.client, &self.link);
                    if self.requests.has_ended() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    async fn carry_to(mut self, mut server: TcpStream) {
        loop {
            let now = *self.changes.borrow_and_update();
            match self.is_over(&now) {
                None => {}
                Some(End::Reset) => {
                    // Closed as they are dropped, by resets.
                    let _ = (self.client.set_zero_linger(), server.set_zero_linger());
                    return;
                }
                Some(End::Told | End::Swallowed) => return,
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return },
                () = self.requests.arrival(&self.client) => {
                    self.requests.take_in(&self.client, &self.link);
                }
                () = self.replies.arrival(&server) => self.replies.take_in(&server, &self.link),
                () = self.requests.departure(&now.requests, &server) => {
                    self.requests.pass_on(&self.link, &mut server);
                }
                () = self.replies.departure(&now.replies, &self.client) => {
                    self.replies.pass_on(&self.link, &mut self.client);
                }
            }
        }
    }

    /// Whether there is nothing left to do, and how it ends then.
    fn is_over(&self, now: &Link) -> Option<End> {
        let ways = [&self.requests, &self.replies];
        let reset = ways.iter().any(|way| way.end == Some(End::Reset));
        if reset || now.resets != self.resets {
            return Some(End::Reset);
        }
        if !now.half_open {
            // What was never told is told now. And who sends to somebody who has closed and gone
            // is told by a reset, where the other way has nothing more to tell.
            let swallowed = ways.iter().any(|way| way.end == Some(End::Swallowed));
            let nobody_there = self.requests.broken && self.replies.end.is_some()
                || self.replies.broken && self.requests.end.is_some();
            if swallowed || nobody_there {
                return Some(End::Reset);
            }
        }
        (self.requests.end.is_some() && self.replies.end.is_some()).then_some(End::Told)
    }
}
