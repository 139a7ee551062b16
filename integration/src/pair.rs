use std::net::SocketAddr;

use futures::future::join_all;
use leasehold::{FencingToken, Timing};
use leasehold_testkit::{Direction, Proxy};
use tokio::time;

use crate::{Contender, Election};

/// Two candidates of one lease, in whatever store is reached by TCP. The way of one to it can be
/// disturbed.
#[derive(Debug)]
pub struct Pair {
    /// What they do.
    pub election: Election,
    /// The way of the linked one.
    pub link: Proxy,
    /// It leads at first.
    pub linked: Contender,
    /// It follows at first.
    pub direct: Contender,
}

impl Pair {
    /// Of a free lease, at the store of this address and by the URL that has this address, or a
    /// proxy's, in it.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn start(
        store: SocketAddr,
        url: impl Fn(SocketAddr) -> String + Send,
        timing: Timing,
    ) -> Self {
        let link = Proxy::start(store).unwrap_or_else(|error| panic!("no proxy: {error}"));
        let (direct, linked) = (url(store), url(link.address()));
        let election = Election::of_a_free_lease(&direct, timing).await;
        let both = election.leader_and_standby(("linked", &linked), ("direct", &direct)).await;
        let [linked, direct] = both;
        Self { election, link, linked, direct }
    }

    /// The linked one leads and is cut off: it has stopped before the other starts, does not know,
    /// lives, and knows the leader again once the link is healed.
    ///
    /// # Panics
    /// If it is not so.
    pub async fn cut_off(&self, lost: Direction) {
        let token = self.give_to_the_linked().await;
        self.link.black_hole(lost);
        self.direct.leads_after(token).await;
        self.linked.knows_nothing().await;
        assert!(self.linked.is_alive());

        self.link.heal();
        // It follows the other, or leads again where a busy machine has cost the other its term.
        self.linked.knows_the_leader().await;
        self.election.assert_exclusive();
    }

    /// The token of the present term, once both know of it.
    ///
    /// # Panics
    /// If one of them never does.
    pub async fn led(&self) -> FencingToken {
        for candidate in self.candidates() {
            candidate.knows_the_leader().await;
        }
        self.leader(FencingToken::ZERO).await.1
    }

    /// The store of some pairs serves none of them for three leases: all say so, and live, and a while
    /// after it is mended each has a leader again, in a new term. Never are there two.
    ///
    /// # Panics
    /// If it is not so.
    pub async fn without_the_store<T: Send>(
        pairs: &[Self],
        strike: impl Fn() -> T + Send,
        mend: impl Fn(T) + Send,
    ) {
        let tokens = join_all(pairs.iter().map(Self::led)).await;
        let all = || pairs.iter().flat_map(Self::candidates);
        let struck = strike();
        join_all(all().map(Contender::knows_nothing)).await;
        // Wait three lease durations: the first term must have expired before the store returns.
        time::sleep(3 * pairs[0].election.timing().lease_duration()).await;
        for candidate in all() {
            candidate.knows_nothing().await;
            assert!(candidate.is_alive());
        }
        mend(struck);
        for (pair, token) in pairs.iter().zip(tokens) {
            pair.leader(token).await;
            pair.election.assert_exclusive();
        }
    }

    /// Both.
    pub const fn candidates(&self) -> [&Contender; 2] {
        [&self.linked, &self.direct]
    }

    /// Who leads in a later term than that of this token.
    ///
    /// # Panics
    /// If nobody does.
    pub async fn leader(&self, earlier: FencingToken) -> (&Contender, FencingToken) {
        tokio::select! {
            token = self.linked.leads_after(earlier) => (&self.linked, token),
            token = self.direct.leads_after(earlier) => (&self.direct, token),
        }
    }

    /// Has the direct one resign until the other leads, and is followed.
    ///
    /// # Panics
    /// If nobody leads.
    pub async fn give_to_the_linked(&self) -> FencingToken {
        self.election.give(&self.direct, &self.linked).await
    }

    /// Ends both.
    ///
    /// # Panics
    /// If one of them has ended before.
    pub async fn end(self) {
        self.linked.end().await;
        self.direct.end().await;
    }
}
