use std::{io, sync::Arc};

use leasehold_testkit::kubernetes::Apiserver;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinHandle, block_in_place},
};
use tokio_rustls::TlsConnector;

/// Takes the one seat that a priority level has, by a request that it never finishes, for as long as it
/// lives: whoever else is of this level is answered 429, and to come again in a second.
pub(crate) struct Hog(JoinHandle<()>);

/// A level without seats still serves one request at a time. Nothing is served beside it.
const LEVEL: &str = r#"{"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
    "metadata": {"name": "narrow"},
    "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0,
        "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}}}"#;

impl Hog {
    /// Puts what this user asks about leases on such a level, and takes its seat.
    pub(crate) fn start(server: &Apiserver, user: &str) -> Self {
        let namespace = server.namespace();
        let token = block_in_place(|| {
            server.apply(LEVEL);
            server.apply(&format!(
                r#"{{"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema",
                    "metadata": {{"name": "narrow"}},
                    "spec": {{"priorityLevelConfiguration": {{"name": "narrow"}},
                        "matchingPrecedence": 2,
                        "rules": [{{
                            "subjects": [{{"kind": "ServiceAccount", "serviceAccount":
                                {{"name": "{user}", "namespace": "{namespace}"}}}}],
                            "resourceRules": [{{"verbs": ["*"], "namespaces": ["*"],
                                "apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}}]}}]}}}}"#
            ));
            // It says so when it goes by it. Who asks before is served on another level.
            server.kubectl(&["wait", "flowschema/narrow", "--for=condition=Dangling=false"]);
            server.token(user)
        });
        let request = format!(
            "POST /apis/coordination.k8s.io/v1/namespaces/{namespace}/leases HTTP/1.1\r\nHost: hog\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: 1000\r\n\r\n{{"
        );
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(server.run_directory().join("ca.pem")).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (connector, address) = (TlsConnector::from(Arc::new(config)), server.address());
        Self(tokio::spawn(async move {
            // Where it has come too late it is answered, perhaps before it has said all, and comes again.
            loop {
                let _answered_or_closed = hog(&connector, address, &request).await;
            }
        }))
    }

    /// Serves this user as everybody.
    pub(crate) fn end(self, server: &Apiserver) {
        self.0.abort();
        block_in_place(|| server.kubectl(&["delete", "flowschema", "narrow"]));
    }
}

/// Until there is an answer.
async fn hog(
    connector: &TlsConnector,
    address: std::net::SocketAddr,
    request: &str,
) -> io::Result<()> {
    let name = ServerName::IpAddress(address.ip().into());
    let mut stream = connector.connect(name, TcpStream::connect(address).await?).await?;
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    stream.read(&mut [0; 1024]).await.map(drop)
}
