use std::{fs, io, net::SocketAddr};

use rcgen::KeyPair;

use super::{ApiserverOptions, ServerError};
use crate::server::{
    Launch, Place, Program, Recipe, Version,
    tls::{self, Tls},
};

pub(super) static PROGRAM: Program = Program {
    store: "kube-apiserver",
    url: "LEASEHOLD_KUBECONFIG",
    url_form: "/path/to/kubeconfig",
    is_url: |path| !path.is_empty(),
    names: &["kube-apiserver"],
    path: "LEASEHOLD_KUBE_APISERVER",
    // The oldest whose API the backend is compiled for.
    oldest: Version(1, 33),
    version_after: "Kubernetes v",
    to_be_had: "the project's set-up builds one where there is Go; `setup-envtest` fetches one, to be \
                named by KUBEBUILDER_ASSETS",
    image: "LEASEHOLD_KUBERNETES_IMAGE",
    default_image: "leasehold-kubernetes:local",
};

const TOKENS: &str = "tokens.csv";
/// Of what service accounts' tokens are signed with, and checked.
const SIGNING_KEY: &str = "accounts.key";
const PUBLIC_KEY: &str = "accounts.pub";

/// How a server is started, beside an etcd that is.
pub(super) struct Beside {
    options: ApiserverOptions,
    etcd: SocketAddr,
    tls: Tls,
    accounts: KeyPair,
    /// Of who may do everything.
    pub(super) token: String,
}

impl Beside {
    pub(super) fn new(options: ApiserverOptions, etcd: SocketAddr) -> Result<Self, ServerError> {
        let no_key = |error| ServerError::Refused(Box::new(error));
        let tls = Tls::new(false).map_err(no_key)?;
        let accounts = KeyPair::generate().map_err(no_key)?;
        let token = format!("0perator-{:032x}", rand::random::<u128>());
        Ok(Self { options, etcd, tls, accounts, token })
    }
}

impl Recipe for Beside {
    fn ports(&self) -> usize {
        1
    }

    fn configure(&self, place: &Place<'_>) -> io::Result<()> {
        self.tls.write(place.directory)?;
        let write = |name, text: &str| fs::write(place.directory.join(name), text);
        write(SIGNING_KEY, &self.accounts.serialize_pem())?;
        write(PUBLIC_KEY, &self.accounts.public_key_pem())?;
        write(TOKENS, &format!("{},operator,operator,system:masters\n", self.token))
    }

    fn launch(&self, place: &Place<'_>) -> Launch {
        let own = place.ports[0].address();
        let mut arguments = vec![
            format!("--etcd-servers=http://{}", self.etcd),
            format!("--bind-address={}", own.ip()),
            format!("--advertise-address={}", own.ip()),
            format!("--secure-port={}", own.port()),
            // All that it needs is given below.
            "--cert-dir=certificates".to_owned(),
            format!("--tls-cert-file={}", tls::CERTIFICATE),
            format!("--tls-private-key-file={}", tls::KEY),
            format!("--token-auth-file={TOKENS}"),
            "--authorization-mode=RBAC".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={PUBLIC_KEY}"),
            format!("--service-account-signing-key-file={SIGNING_KEY}"),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            // Nobody is here who would make the account that this one waits for.
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
        ];
        arguments.extend(self.options.arguments.iter().cloned());
        // It listens then, and is ready a second later: see `Apiserver`.
        Launch { arguments, environment: Vec::new(), ready: "Serving securely on" }
    }
}
