use std::{
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

/// Where a cluster is, and who may do everything in it: in the words of a kubeconfig.
pub(super) struct Access {
    pub(super) cluster: Value,
    pub(super) operator: Value,
}

impl Access {
    /// Of a server of this machine.
    pub(super) fn here(address: SocketAddr, ca: &Path, token: &str) -> Self {
        Self {
            cluster: json!({ "server": format!("https://{address}"), "certificate-authority": ca }),
            operator: json!({ "token": token }),
        }
    }

    /// Of the only cluster and the only user of a kubeconfig, in JSON, without files of their own.
    pub(super) fn of(kubeconfig: &str) -> Option<Self> {
        let mut kubeconfig: Value = serde_json::from_str(kubeconfig).ok()?;
        let cluster = kubeconfig.pointer_mut("/clusters/0/cluster")?.take();
        let operator = kubeconfig.pointer_mut("/users/0/user")?.take();
        cluster["server"].is_string().then_some(Self { cluster, operator })
    }

    /// Its host, as its certificate names it, and its port.
    fn place(&self) -> (&str, u16) {
        let server = self.cluster["server"].as_str().unwrap_or_default();
        let (scheme, rest) = server.split_once("://").unwrap_or(("https", server));
        let host = rest.split('/').next().unwrap_or_default();
        let usual = if scheme == "http" { 80 } else { 443 };
        match host.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some((host, port)) => (host.trim_matches(['[', ']']), port),
            None => (host.trim_matches(['[', ']']), usual),
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        let address = self.place().to_socket_addrs()?.next();
        address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// The same cluster by way of another address. The certificate that it shows is the same, and is
    /// checked for the same name.
    pub(super) fn through(&self, proxy: SocketAddr) -> Value {
        let mut cluster = self.cluster.clone();
        let server = self.cluster["server"].as_str().unwrap_or_default();
        let (scheme, rest) = server.split_once("://").unwrap_or(("https", server));
        let path = rest.find('/').map_or("", |start| &rest[start..]);
        if cluster["tls-server-name"].is_null() {
            cluster["tls-server-name"] = self.place().0.into();
        }
        cluster["server"] = format!("{scheme}://{proxy}{path}").into();
        cluster
    }

    /// Every secret that is in there.
    pub(super) fn secrets(&self) -> Vec<String> {
        ["token", "password", "client-key-data"]
            .iter()
            .filter_map(|name| Some(self.operator[name].as_str()?.to_owned()))
            .collect()
    }
}

/// Writes a kubeconfig with one context, and never the same file twice: somebody may be reading it.
pub(super) fn write(
    directory: &Path,
    namespace: &str,
    cluster: &Value,
    user: &Value,
) -> io::Result<PathBuf> {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let file = directory.join(format!("kubeconfig-{number}.json"));
    let context = json!({ "cluster": "tests", "user": "tests", "namespace": namespace });
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "tests", "cluster": cluster }],
        "users": [{ "name": "tests", "user": user }],
        "contexts": [{ "name": "tests", "context": context }],
        "current-context": "tests",
    });
    fs::write(&file, kubeconfig.to_string())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::Access;

    fn access(server: &str) -> Access {
        let kubeconfig = format!(
            r#"{{"clusters": [{{"cluster": {{"server": "{server}"}}}}],
                "users": [{{"user": {{"token": "s3cret"}}}}]}}"#
        );
        Access::of(&kubeconfig).expect("a kubeconfig")
    }

    #[test]
    fn the_way_by_a_proxy_leads_to_the_same_name_and_path() {
        let proxy = ([127, 0, 0, 1], 7000).into();
        for (server, port, through) in [
            ("https://k8s.example:6443/a/b", 6443, "https://127.0.0.1:7000/a/b"),
            ("https://k8s.example", 443, "https://127.0.0.1:7000"),
        ] {
            let access = access(server);
            assert_eq!(access.place(), ("k8s.example", port));
            let cluster = access.through(proxy);
            assert_eq!(cluster["server"], through);
            assert_eq!(cluster["tls-server-name"], "k8s.example");
            assert_eq!(access.secrets(), ["s3cret"]);
        }
        assert_eq!(access("https://[::1]:6443").place(), ("::1", 6443));
        assert!(Access::of("{}").is_none() && Access::of("nonsense").is_none());
    }
}
