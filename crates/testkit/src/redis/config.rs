use std::path::Path;

use super::{
    RedisOptions,
    credentials::{Credentials, quoted},
    options::Watched,
};
use crate::server::tls;

pub(super) const FILE: &str = "redis.conf";
/// What sentinels call what they watch.
pub(super) const MASTER: &str = "leasehold-test";
pub(super) const SOCKET: &str = "redis.sock";

/// The `redis.conf` of a server with these options, in this directory.
pub(super) fn text(
    options: &RedisOptions,
    port: u16,
    bus: Option<u16>,
    directory: &Path,
) -> String {
    let path = |name: &str| quoted(&directory.join(name).to_string_lossy());
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        format!("dir {}", quoted(&directory.to_string_lossy())),
        "save \"\"".to_owned(),
        "appendonly no".to_owned(),
        "enable-debug-command local".to_owned(),
        // A replica is there at once.
        "repl-diskless-sync-delay 0".to_owned(),
    ];
    match &options.tls {
        None => lines.push(format!("port {port}")),
        Some(tls) => {
            lines.extend([
                "port 0".to_owned(),
                format!("tls-port {port}"),
                format!("tls-ca-cert-file {}", path(tls::CA)),
                format!("tls-cert-file {}", path(tls::CERTIFICATE)),
                format!("tls-key-file {}", path(tls::KEY)),
                format!("tls-auth-clients {}", if tls.both_sides { "yes" } else { "no" }),
                "tls-replication yes".to_owned(),
            ]);
        }
    }
    lines.extend(options.credentials.lines(options.cluster));
    if options.unix_socket {
        lines.push(format!("unixsocket {}", path(SOCKET)));
    }
    if let Some(master) = options.replica_of {
        lines.push(format!("replicaof {} {}", master.ip(), master.port()));
    }
    if let Some(bus) = bus {
        lines.extend([
            "cluster-enabled yes".to_owned(),
            format!("cluster-port {bus}"),
            "cluster-announce-ip 127.0.0.1".to_owned(),
            "cluster-node-timeout 1000".to_owned(),
        ]);
        if options.tls.is_some() {
            lines.push("tls-cluster yes".to_owned());
        }
    }
    match &options.sentinel_of {
        None => lines.extend(options.credentials.lines_of_a_replica()),
        Some(watched) => lines.extend(of_a_sentinel(watched, &options.credentials)),
    }
    lines.extend(options.lines.iter().cloned());
    lines.join("\n") + "\n"
}

/// Quick to find a master gone, for tests wait for it.
fn of_a_sentinel(watched: &Watched, own: &Credentials) -> Vec<String> {
    let Watched { master, credentials } = watched;
    let mut lines = vec![
        format!("sentinel monitor {MASTER} {} {} 2", master.ip(), master.port()),
        format!("sentinel down-after-milliseconds {MASTER} 500"),
        format!("sentinel failover-timeout {MASTER} 2000"),
        format!("sentinel parallel-syncs {MASTER} 1"),
    ];
    lines.extend(credentials.lines_of_a_sentinel(MASTER));
    // The sentinels ask each other for it too.
    if let Some((_, password)) = own.of_the_operator() {
        lines.push(format!("sentinel sentinel-pass {}", quoted(password)));
    }
    lines
}
