use std::net::SocketAddr;

use url::Url;

/// The TCP link of a URL, into which a proxy can be put.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    url: Url,
    /// Where the store itself listens.
    pub(crate) target: SocketAddr,
}

impl Link {
    /// The link of a URL, or why no proxy can be put into it.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        let scheme = url.split(':').next().unwrap_or_default();
        if scheme.contains('+') {
            return Err(format!("{scheme} is no single TCP link whose address is in the URL"));
        }
        let url = Url::parse(url).map_err(|_| "its URL does not name one host".to_owned())?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err("it is reached without TCP".into());
        }
        if matches!(scheme, "rediss" | "etcds") {
            return Err("its certificate is for its own address, and not for a proxy's".into());
        }
        let port = if scheme == "redis" { Some(6379) } else { None };
        let addresses = url.socket_addrs(|| port).map_err(|error| error.to_string())?;
        // `localhost` is both, and often only this is listened to.
        let target = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        match target.copied() {
            Some(target) => Ok(Self { url, target }),
            None => Err("its host has no address".into()),
        }
    }

    /// The URL by way of a proxy.
    pub(crate) fn through(&self, proxy: SocketAddr) -> String {
        let mut url = self.url.clone();
        // Neither can be refused to a URL that has a host.
        let _ = (url.set_host(Some(&proxy.ip().to_string())), url.set_port(Some(proxy.port())));
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_takes_the_place_of_host_and_port_and_nothing_else_changes() {
        let proxy = "127.0.0.1:4567".parse().unwrap();
        for (url, target, through) in [
            (
                "redis://u:s%40cret@127.0.0.1:1234/2#a%20b",
                "127.0.0.1:1234",
                "redis://u:s%40cret@127.0.0.1:4567/2#a%20b",
            ),
            ("redis://127.0.0.1#jobs", "127.0.0.1:6379", "redis://127.0.0.1:4567#jobs"),
            ("etcd://[::1]:2379/jobs", "[::1]:2379", "etcd://127.0.0.1:4567/jobs"),
        ] {
            let link = Link::of(url).unwrap();
            assert_eq!(link.target, target.parse().unwrap());
            assert_eq!(link.through(proxy), through);
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
            ("etcd://127.0.0.1:1,127.0.0.1:2/jobs", "one host"),
            ("etcd://127.0.0.1/jobs", "port"),
        ] {
            let error = Link::of(url).unwrap_err();
            assert!(error.contains(why), "{url}: {error}");
        }
    }
}
