use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, OnceLock, atomic::Ordering},
    thread,
};

use super::{
    EtcdOptions, EtcdServer, Restore, ServerError,
    exchange::Exchange,
    member::{Member, PROGRAM, Road, Seat, new_token},
    users,
};
use crate::{
    Direction, Proxy,
    server::{Found, Own, Recipe, Way, is_taken, wait},
};

/// Three members, each linked to each other over a link that a test can disturb, in both directions
/// apart, unless it is [`straight`](Self::straight). Their clients reach them without one.
#[derive(Debug)]
pub struct EtcdCluster {
    members: Vec<EtcdServer>,
    /// What each member reaches the others by; none if it reaches them straight.
    exchanges: Vec<Exchange>,
}

impl EtcdCluster {
    /// One without options, ready: it has a leader, and every member knows it.
    ///
    /// # Errors
    /// As [`EtcdOptions::start`].
    pub fn start() -> Result<Self, ServerError> {
        Self::with(EtcdOptions::new())
    }

    /// One whose members have these options.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(options: EtcdOptions) -> Result<Self, ServerError> {
        Self::build(&options, true)
    }

    /// The same whose members speak to each other as in production, with nothing between them: for who
    /// measures. A link costs a copy of all that goes over it, and TLS.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn straight(options: EtcdOptions) -> Result<Self, ServerError> {
        Self::build(&options, false)
    }

    fn build(options: &EtcdOptions, linked: bool) -> Result<Self, ServerError> {
        let way = match Way::find(&PROGRAM, true)? {
            Found::Here(way) => way,
            Found::Elsewhere(_) => unreachable!("one of our own was asked for"),
        };
        let cluster = loop {
            let cluster = Self::new(&way, options, linked)?;
            match cluster.run(0..Seat::ALL) {
                // Some program has a port, which only shows when it is asked for.
                Err(error) if is_taken(&error) => {}
                other => break other.map(|()| cluster)?,
            }
        };
        if options.auth {
            users::set_up(&cluster.members[0])?;
        }
        Ok(cluster)
    }

    fn new(way: &Way, options: &EtcdOptions, linked: bool) -> Result<Self, ServerError> {
        let seats = if linked { 0..Seat::ALL } else { 0..0 };
        let exchanges: Vec<Exchange> = seats.map(exchange_of).collect::<Result<_, io::Error>>()?;
        let (token, peers) = (new_token(), Arc::new(OnceLock::new()));
        let mut members = Vec::new();
        for number in 0..Seat::ALL {
            let road = exchanges.get(number).map_or_else(
                || Road::Straight(peers.clone()),
                |exchange| Road::Linked(exchange.address()),
            );
            let seat = Seat { number, road };
            let member = Arc::new(Member::in_seat(options.clone(), &token, seat));
            let own = Own::new(way, &(member.clone() as Arc<dyn Recipe>))?;
            for exchange in &exchanges {
                if let Some(link) = exchange.link(&Seat::host(number)) {
                    link.set_target(own.place().ports[1].address());
                }
            }
            members.push(EtcdServer::of(own, member));
        }
        let listen = members.iter().map(|member| member.own().place().ports[1].address());
        peers.get_or_init(|| listen.collect());
        Ok(Self { members, exchanges })
    }

    /// Together, for one alone is ready only when there are enough.
    fn run(&self, members: impl IntoIterator<Item = usize>) -> Result<(), ServerError> {
        let members: Vec<&Own> =
            members.into_iter().map(|number| self.members[number].own()).collect();
        members.iter().try_for_each(|own| own.launch())?;
        members.iter().try_for_each(|own| own.settle())
    }

    /// The URL of a lease in this cluster as `leasehold::connect` takes it: it names all members.
    pub fn url(&self, lease: &str) -> String {
        self.url_through(self.members.iter().map(EtcdServer::address), lease)
    }

    /// The same, with other addresses that lead to members.
    pub fn url_through(
        &self,
        addresses: impl IntoIterator<Item = std::net::SocketAddr>,
        lease: &str,
    ) -> String {
        self.members[0].url_of(addresses, lease)
    }

    /// The URL that names this member alone.
    ///
    /// # Panics
    /// If the number is above 2.
    pub fn url_of(&self, member: usize, lease: &str) -> String {
        self.members[member].url(lease)
    }

    /// One of the three.
    ///
    /// # Panics
    /// If the number is above 2.
    pub fn member(&self, number: usize) -> &EtcdServer {
        &self.members[number]
    }

    /// Starts these again, all of them before it waits for any; kills them before, if they run. Returns
    /// when they are ready, for which the cluster must have a leader.
    ///
    /// # Panics
    /// If they do not start.
    pub fn restart(&self, members: impl IntoIterator<Item = usize>) {
        let members: Vec<usize> = members.into_iter().collect();
        members.iter().for_each(|number| self.members[*number].kill());
        self.run(members).unwrap_or_else(|error| panic!("started again: {error}"));
    }

    /// The member that more than half of them take for their leader; waits until there is one.
    ///
    /// # Panics
    /// If there is none within a minute.
    pub fn leader(&self) -> usize {
        wait::until(|| self.leader_now()).expect("more than half of the members agree on a leader")
    }

    /// Waits until another member than this one is the leader: the others find out within two seconds
    /// that one is gone, or cut off.
    ///
    /// # Panics
    /// If that does not happen within a minute.
    pub fn successor_of(&self, old: usize) -> usize {
        let found = wait::until(|| self.leader_now().filter(|leader| *leader != old));
        found.expect("another member becomes the leader")
    }

    fn leader_now(&self) -> Option<usize> {
        let statuses: Vec<Option<Status>> = thread::scope(|scope| {
            let asked: Vec<_> =
                self.members.iter().map(|member| scope.spawn(|| Status::of(member))).collect();
            asked.into_iter().map(|asked| asked.join().ok().flatten()).collect()
        });
        let votes = |id| statuses.iter().flatten().filter(|status| status.leader == id).count();
        let elected = |status: &Option<Status>| {
            status.as_ref().is_some_and(|status| votes(status.id) > Seat::ALL / 2)
        };
        statuses.iter().position(elected)
    }

    /// Has the leader hand over to this member, and waits until it is the leader.
    ///
    /// # Panics
    /// If they do not: with what `etcdctl` says.
    pub fn move_leader(&self, to: usize) {
        let leader = self.leader();
        if leader == to {
            return;
        }
        let id = Status::of(&self.members[to]).expect("the member answers").id;
        self.members[leader].etcdctl(&["move-leader", &format!("{id:x}")]);
        let moved = wait::until(|| (self.leader_now()? == to).then_some(()));
        moved.expect("the member becomes the leader");
    }

    /// The link by which what a member sends to another one goes, and the answers come back.
    ///
    /// # Panics
    /// If the numbers are the same, or above 2, or if the cluster has no links.
    pub fn link(&self, from: usize, to: usize) -> &Proxy {
        self.exchanges()[from].link(&Seat::host(to)).expect("two of the three members")
    }

    /// Cuts a member off from the others, in both directions, and tells nobody: packets vanish. Its
    /// clients reach it as before.
    ///
    /// # Panics
    /// If the number is above 2, or if the cluster has no links.
    pub fn isolate(&self, member: usize) {
        self.links_of(member).for_each(|link| link.black_hole(Direction::Both));
    }

    /// Links it to the others again, and ends whatever else is wrong with these links.
    ///
    /// # Panics
    /// As [`Self::isolate`].
    pub fn rejoin(&self, member: usize) {
        self.links_of(member).for_each(Proxy::heal);
    }

    fn links_of(&self, member: usize) -> impl Iterator<Item = &Proxy> {
        let all = self.exchanges();
        let others = all.iter().filter_map(move |other| other.link(&Seat::host(member)));
        all[member].links().chain(others)
    }

    fn exchanges(&self) -> &[Exchange] {
        assert!(
            !self.exchanges.is_empty(),
            "this cluster was made by `EtcdCluster::straight` and has no links to disturb: make it by \
             `EtcdCluster::with`"
        );
        &self.exchanges
    }

    /// Saves all its data (`etcdctl snapshot save`), as the first member has them.
    ///
    /// # Errors
    /// As [`EtcdServer::snapshot`].
    pub fn snapshot(&self, to: &Path) -> Result<(), super::ToolError> {
        self.members[0].snapshot(to)
    }

    /// Starts all members again, at the same addresses, with the data of a snapshot. What was written
    /// since the snapshot is lost. Returns when they are ready.
    ///
    /// # Panics
    /// If they do not start; with what `etcdutl` says, if that fails.
    pub fn restore(&self, snapshot: &Path, how: &Restore) {
        for member in &self.members {
            member.prepare_to_restore(snapshot, how);
        }
        for member in &self.members {
            member.kill();
            member.member().restored.fetch_add(1, Ordering::Relaxed);
        }
        self.restart(0..Seat::ALL);
    }

    /// Every password: what must not be found in a log.
    pub fn secrets(&self) -> Vec<String> {
        self.members[0].secrets()
    }
}

/// With links whose targets are not known yet.
fn exchange_of(member: usize) -> io::Result<Exchange> {
    let nowhere = ([127, 0, 0, 1], 1).into();
    let others = (0..Seat::ALL).filter(|other| *other != member);
    let links = others.map(|other| Ok((Seat::host(other), Proxy::start(nowhere)?)));
    Exchange::start(links.collect::<io::Result<HashMap<_, _>>>()?)
}

/// What a member says of itself.
struct Status {
    id: u64,
    leader: u64,
}

impl Status {
    /// None if it does not answer.
    fn of(member: &EtcdServer) -> Option<Self> {
        let words = ["endpoint", "status", "--write-out=json", "--command-timeout=1s"];
        let said = member.try_etcdctl(&words).ok()?;
        let said: serde_json::Value = serde_json::from_str(&said).ok()?;
        let status = &said[0]["Status"];
        Some(Self {
            id: status["header"]["member_id"].as_u64()?,
            leader: status["leader"].as_u64()?,
        })
    }
}
