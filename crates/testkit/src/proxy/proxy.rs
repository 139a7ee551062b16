use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use super::{
    Direction,
    door::Door,
    faults::{Lane, Link},
};

/// A TCP link to a server that can be disturbed as networks are.
///
/// Clients connect to [`address`](Self::address) instead of the server's. What is set holds for
/// the connections that there are and for those to come, until [`heal`](Self::heal); when a method
/// returns, nothing passes any more that it forbids. Several faults may be set at once.
///
/// It runs on a thread of its own, so that a runtime that is blocked or paused does not hold it
/// up, and its methods need none. Dropped, it closes everything.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// use leasehold_testkit::{Direction, Proxy};
///
/// let link = Proxy::start(server.local_addr()?)?;
/// // … connect a client to link.address(), and then:
/// link.black_hole(Direction::Both);
/// link.heal();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    link: Arc<watch::Sender<Link>>,
    door: Door,
    runtime: Handle,
    closed: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens at a free port of 127.0.0.1, and connects whoever comes to the target.
    ///
    /// # Errors
    /// There is no free port, descriptor or thread.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let link = Arc::new(watch::Sender::new(Link::to(target)));
        let closed = CancellationToken::new();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        // Registers with the runtime that it is made in.
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let door = Door { link: link.clone(), visitors: Arc::default() };
        let (inside, handle) = (door.clone(), runtime.handle().clone());
        let until = closed.clone();
        let thread = thread::Builder::new().name("leasehold-proxy".into()).spawn(move || {
            // With the runtime all connections end.
            runtime.block_on(until.run_until_cancelled(inside.keep(listener)));
        })?;
        Ok(Self { address, link, door, runtime: handle, closed, thread: Some(thread) })
    }

    /// Where to connect to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections from now on go to another server.
    pub fn set_target(&self, target: SocketAddr) {
        self.link.send_modify(|link| link.target = target);
    }

    /// Carries this connection of a client too, as if the client had come to the address: for who
    /// decides for each connection which link it takes.
    ///
    /// # Errors
    /// It is no connection any more.
    pub fn carry(&self, client: TcpStream) -> io::Result<()> {
        client.set_nonblocking(true)?;
        let _inside = self.runtime.enter();
        self.door.admit(tokio::net::TcpStream::from_std(client)?);
        Ok(())
    }

    /// What is sent arrives this much later, in order. Several sendings may be under way at once.
    /// To open a connection takes no longer.
    pub fn delay(&self, direction: Direction, by: Duration) {
        self.each(direction, |lane| lane.delay = by);
    }

    /// No connection carries more than this. With 0 it is a black hole.
    pub fn throttle(&self, direction: Direction, bytes_per_second: u32) {
        self.each(direction, |lane| lane.bytes_per_second = Some(bytes_per_second));
    }

    /// Packets vanish, as on a cut link: no byte and no end of a connection arrives, and nobody is
    /// told.
    ///
    /// TCP repeats what got no answer, so all of it arrives after [`heal`](Self::heal): late, in
    /// order, and also where its sender has closed the connection meanwhile. A request that was
    /// given up long ago may then be carried out. Only what was sent on a connection that its
    /// sender has *reset* is gone.
    ///
    /// No connection can be opened in whatever direction the packets vanish. The kernel accepts
    /// one for us all the same, so a client sees a connection that stays silent instead of one
    /// that cannot be made. Whoever waits is connected after `heal`; what was sent by a client
    /// that has closed such a connection meanwhile never arrives.
    pub fn black_hole(&self, direction: Direction) {
        self.each(direction, |lane| lane.black_hole = true);
    }

    /// No end of a connection is passed on: who is left goes on sending, and it goes nowhere. So it
    /// is when a host loses its power. After [`heal`](Self::heal) who is left is told by a reset.
    pub fn half_open(&self) {
        self.link.send_modify(|link| link.half_open = true);
    }

    /// Resets all open connections (RST, to both sides), once. What was on its way is lost.
    pub fn reset(&self) {
        self.link.send_modify(|link| link.resets += 1);
    }

    /// So many bytes still pass in that direction, those of all connections together; then the
    /// connection that carried the last of them is reset, and that was it. With 0 it is the next
    /// one on which something is sent. With [`Direction::Both`] each direction counts for itself.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.each(direction, |lane| lane.cut_after = Some(bytes));
    }

    /// New connections are refused: reset as soon as they are made.
    pub fn refuse(&self) {
        self.link.send_modify(|link| link.refuse = true);
    }

    /// Ends all faults. What was held or delayed arrives at once.
    pub fn heal(&self) {
        self.link.send_modify(Link::heal);
    }

    /// How many connections are open now, by what the link has seen: on a black hole it sees no
    /// end.
    pub fn connections(&self) -> usize {
        self.door.visitors.present()
    }

    /// How many connections were made until now, without those that were refused.
    pub fn accepted(&self) -> u64 {
        self.door.visitors.ever()
    }

    /// When a byte was last passed on in this direction, if one was: what was sent later has not
    /// arrived yet. Of [`Direction::Both`] the later of the two.
    pub fn last_carried(&self, direction: Direction) -> Option<Instant> {
        let link = self.link.borrow();
        let of = |one, lane: &Lane| lane.last_carried.filter(|_| direction.covers(one));
        of(Direction::Requests, &link.requests).max(of(Direction::Replies, &link.replies))
    }

    fn each(&self, direction: Direction, set: impl Fn(&mut Lane)) {
        self.link.send_modify(|link| link.each(direction, set));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.closed.cancel();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}
