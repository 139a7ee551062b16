pub(crate) mod deaf;

use std::{fs, time::Duration};

use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};
use leasehold_core::{FencingToken, Observation, RandomPart, Record, Stamp, Tenure};
use leasehold_etcd::{Etcd, EtcdConfig, EtcdLock};
use percent_encoding::percent_decode_str;
use url::Url;

/// A lock that has not asked etcd for anything.
pub(crate) fn lock(url: &str) -> EtcdLock {
    let (config, name) = EtcdConfig::from_url(url).unwrap();
    Etcd::new(config).lock(name)
}

/// A record of somebody who would lead.
pub(crate) fn held(seen: &Observation) -> Record {
    Record {
        era: seen.era.clone(),
        token: FencingToken::new(seen.version.number() + 1).unwrap(),
        lease_duration: Duration::from_secs(1),
        stamp: Some(Stamp { author: RandomPart::random(), attempt: 1 }),
        tenure: Tenure::Held { holder: "somebody".into() },
    }
}

/// Another program's client of the etcd with a candidate's URL: of its first member.
pub(crate) async fn client(url: &str) -> Client {
    let (before, hosts_and_path) = url.rsplit_once('@').unwrap_or_else(|| {
        let (scheme, rest) = url.split_once("://").unwrap();
        (scheme, rest)
    });
    let hosts = hosts_and_path.split('/').next().unwrap();
    let first = hosts.split(',').next().unwrap();
    let mut options = ConnectOptions::new().with_timeout(Duration::from_secs(10));
    if let Some((_, login)) = before.split_once("://") {
        let (user, password) = login.split_once(':').unwrap();
        let plain = |text| percent_decode_str(text).decode_utf8().unwrap();
        options = options.with_user(plain(user), plain(password));
    }
    let scheme = if url.starts_with("etcds") { "https" } else { "http" };
    if scheme == "https" {
        let mut tls = TlsOptions::new().domain_name("localhost");
        let parameters = Url::parse(&format!("x:?{}", url.split_once('?').unwrap().1)).unwrap();
        let file = |wanted: &str| {
            let found = parameters.query_pairs().find(|(name, _)| name == wanted);
            found.map(|(_, path)| fs::read(&*path).unwrap())
        };
        tls = tls.ca_certificate(Certificate::from_pem(file("ca").unwrap()));
        if let Some(certificate) = file("cert") {
            tls = tls.identity(Identity::from_pem(certificate, file("key").unwrap()));
        }
        options = options.with_tls(tls);
    }
    Client::connect([format!("{scheme}://{first}")], Some(options)).await.unwrap()
}
