use std::{fmt, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use leasehold_testkit::{Direction, Proxy};
use url::Url;

/// The TCP link between a candidate and a store, into which proxies can be put: one for each address
/// at which the store is reached.
#[derive(Clone)]
pub(crate) struct Link {
    /// Where the store itself listens.
    targets: Vec<SocketAddr>,
    /// The URL by way of others, as many as there are targets.
    through: Arc<Through>,
}

type Through = dyn Fn(&[SocketAddr]) -> String + Send + Sync;

/// The proxies of one contender. What is done is done to all of them at once: to a contender that
/// is cut off, no member of a cluster answers.
#[derive(Debug)]
pub(crate) struct Proxies {
    /// The URL by way of them.
    pub(crate) url: String,
    proxies: Vec<Proxy>,
}

impl Link {
    /// The link to these addresses, where somebody knows what URL leads by way of others.
    pub(crate) fn new(
        targets: Vec<SocketAddr>,
        through: impl Fn(&[SocketAddr]) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { targets, through: Arc::new(through) }
    }

    /// The link of a URL that names the addresses, or why no proxy can be put into it.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        let scheme = url.split(':').next().unwrap_or_default();
        if scheme.contains('+') {
            return Err(format!("{scheme} is no single TCP link whose address is in the URL"));
        }
        if scheme == "kubernetes" {
            return Err("its address is in somebody's kubeconfig, and not in its URL".into());
        }
        let without_tcp = "it is reached without TCP";
        let (_, rest) = url.split_once("://").ok_or(without_tcp)?;
        let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, addresses) = match authority.rsplit_once('@') {
            Some((user, addresses)) => (format!("{user}@"), addresses),
            None => (String::new(), authority),
        };
        if addresses.is_empty() {
            return Err(without_tcp.into());
        }
        if matches!(scheme, "rediss" | "etcds") {
            return Err("its certificate is for its own address, and not for a proxy's".into());
        }
        if addresses.contains(',') && scheme != "etcd" {
            return Err("its URL does not name one host".into());
        }
        let targets = addresses.split(',').map(|address| target(scheme, address));
        let before = format!("{scheme}://{user}");
        let after = rest[authority.len()..].to_owned();
        Ok(Self::new(targets.collect::<Result<_, _>>()?, move |others| {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            format!("{before}{}{after}", others.join(","))
        }))
    }

    /// The URL by way of others.
    fn through(&self, others: &[SocketAddr]) -> String {
        (self.through)(others)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL: there may be a password in it.
        f.debug_struct("Link").field("targets", &self.targets).finish_non_exhaustive()
    }
}

/// Where one address of a URL leads to.
fn target(scheme: &str, address: &str) -> Result<SocketAddr, String> {
    let url = Url::parse(&format!("{scheme}://{address}"))
        .map_err(|error| format!("its address {address:?}: {error}"))?;
    let port = match scheme {
        "redis" => Some(6379),
        "etcd" => Some(2379),
        _ => None,
    };
    let addresses = url.socket_addrs(|| port).map_err(|error| error.to_string())?;
    // `localhost` is both, and often only this is listened to.
    let target = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    target.copied().ok_or_else(|| "its host has no address".into())
}

impl Proxies {
    pub(crate) fn start(link: &Link) -> Result<Self> {
        let proxies = link.targets.iter().map(|target| Proxy::start(*target));
        let proxies: Vec<_> = proxies.collect::<Result<_, _>>().context("no proxy")?;
        let others: Vec<_> = proxies.iter().map(Proxy::address).collect();
        Ok(Self { url: link.through(&others), proxies })
    }

    /// Nothing passes in this direction any more.
    pub(crate) fn black_hole(&self, direction: Direction) {
        self.proxies.iter().for_each(|proxy| proxy.black_hole(direction));
    }

    /// All passes again, what was held first.
    pub(crate) fn heal(&self) {
        self.proxies.iter().for_each(Proxy::heal);
    }

    /// How many nanoseconds ago anything last got through, by any of them.
    pub(crate) fn last_carried(&self, direction: Direction) -> Option<u64> {
        let carried = self.proxies.iter().filter_map(|proxy| proxy.last_carried(direction));
        Some(carried.max()?.elapsed().as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_take_the_place_of_the_addresses_and_nothing_else_changes() {
        let proxies = ["127.0.0.1:4567", "127.0.0.1:4568"].map(|proxy| proxy.parse().unwrap());
        for (url, targets, through) in [
            (
                "redis://u:s%40cret@127.0.0.1:1234/2#a%20b",
                &["127.0.0.1:1234"][..],
                "redis://u:s%40cret@127.0.0.1:4567/2#a%20b",
            ),
            ("redis://127.0.0.1#jobs", &["127.0.0.1:6379"], "redis://127.0.0.1:4567#jobs"),
            ("etcd://[::1]:2379/jobs", &["[::1]:2379"], "etcd://127.0.0.1:4567/jobs"),
            ("etcd://127.0.0.1/jobs", &["127.0.0.1:2379"], "etcd://127.0.0.1:4567/jobs"),
            (
                "etcd://u:p@127.0.0.1:1,[::1]:2/a,b?prefix=x/",
                &["127.0.0.1:1", "[::1]:2"],
                "etcd://u:p@127.0.0.1:4567,127.0.0.1:4568/a,b?prefix=x/",
            ),
        ] {
            let link = Link::of(url).unwrap();
            let wanted: Vec<SocketAddr> = targets.iter().map(|t| t.parse().unwrap()).collect();
            assert_eq!(link.targets, wanted);
            assert_eq!(link.through(&proxies[..targets.len()]), through);
        }
    }

    #[test]
    fn what_has_no_link_for_a_proxy_says_why() {
        for (url, why) in [
            ("file:///run/jobs", "without TCP"),
            ("fake:good:/a/path", "without TCP"),
            ("redis+unix:///run/redis.sock#jobs", "no single TCP link"),
            ("redis+cluster://127.0.0.1:1,127.0.0.1:2#jobs", "no single TCP link"),
            ("rediss://127.0.0.1:1#jobs", "certificate"),
            ("etcds://127.0.0.1:1,127.0.0.1:2/jobs", "certificate"),
            ("redis://127.0.0.1:1,127.0.0.1:2/jobs", "one host"),
            ("etcd://127.0.0.1:1,/jobs", "No host"),
            ("kubernetes://shop/jobs?kubeconfig=/x", "kubeconfig"),
            ("toy://127.0.0.1/jobs", "port"),
        ] {
            let error = Link::of(url).unwrap_err();
            assert!(error.contains(why), "{url}: {error}");
        }
    }
}
