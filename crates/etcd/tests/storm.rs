//! All members are down, for many electors of one etcd at once.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::future::join_all;
use leasehold_core::{Candidate, Elector, LeaseName, Timing, create_free};
use leasehold_etcd::{Etcd, EtcdConfig};
use leasehold_testkit::{Proxy, etcd::EtcdServer};
use tokio::{net::TcpSocket, time};
use tokio_util::sync::CancellationToken;

const ELECTORS: usize = 30;
const MEMBERS: usize = 3;
const ROUNDS: u64 = 3;

/// So many attempts a second to connect to a member, at most, whoever needs it: one in 25 ms.
const ATTEMPTS: f64 = 40.0;

/// Those of all electors are one, and have pauses between them; but not so long ones that the lease
/// would wait for them.
#[tokio::test(flavor = "multi_thread")]
async fn electors_share_their_attempts_while_all_members_are_down_and_lead_as_soon_as_they_are_back()
 {
    let server = EtcdServer::shared();
    let links = [(); MEMBERS].map(|()| Proxy::start(server.address()).unwrap());
    let accepted = || links.iter().map(Proxy::accepted).sum::<u64>();
    let members = links.iter().map(|link| (link.address().ip().to_string(), link.address().port()));
    let etcd = Etcd::new(EtcdConfig::new(members).unwrap());
    let timing = Timing::fast();
    let electors: Vec<_> = join_all((0..ELECTORS).map(async |number| {
        let lock = etcd.lock(LeaseName::new(format!("storm-{number}")).unwrap());
        create_free(&lock).await.unwrap();
        Elector::new(lock, Candidate::new("pod-a").unwrap()).with_timing(timing)
    }))
    .await;
    // Each connection is accepted, and closed, for there is nobody behind it.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let lead_to = |target: SocketAddr| links.iter().for_each(|link| link.set_target(target));
    let shutdown = CancellationToken::new();
    let campaign = async || join_all(electors.iter().map(|one| one.campaign(&shutdown))).await;
    let mut terms = campaign().await;
    for round in 0..ROUNDS {
        lead_to(nobody.local_addr().unwrap());
        links.iter().for_each(Proxy::reset);
        for term in terms {
            let term = term.unwrap();
            term.stopping().await;
            drop(term);
        }
        let faults = async {
            let (before, began) = (accepted(), Instant::now());
            // Not at the same point of everybody's pauses each time.
            time::sleep(Duration::from_millis(900 + 47 * round)).await;
            let attempts = (accepted() - before) as f64 / began.elapsed().as_secs_f64();
            lead_to(server.address());
            (attempts, Instant::now())
        };
        let (led, (attempts, back)) = tokio::join!(campaign(), faults);
        let took = back.elapsed();
        println!("{attempts:.0} attempts a second; all led {took:?} after the members were back");
        assert!(attempts <= MEMBERS as f64 * ATTEMPTS, "{attempts} attempts a second");
        // A busy machine takes a second more.
        let bound = 2 * timing.retry_interval() + Duration::from_secs(1);
        assert!(took < bound, "led after {took:?}");
        terms = led;
    }
    join_all(terms.into_iter().map(|term| term.unwrap().resign())).await;
}
