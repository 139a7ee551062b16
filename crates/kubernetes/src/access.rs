use std::{env, path::Path, sync::Arc, time::Instant};

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{
        ConfigExt,
        middleware::{AuthLayer, BaseUriLayer, ExtraHeadersLayer},
    },
    config::{KubeConfigOptions, Kubeconfig},
};
use leasehold_core::{Error, ErrorKind};
use rustls::pki_types::ServerName;
use tokio::task;
use tower::{BoxError, ServiceBuilder};

use crate::{
    KubernetesConfig,
    advice::{of_a_kubeconfig, of_configuration},
    error, tls,
};

type Connector = TimeoutConnector<HttpsConnector<HttpConnector>>;

/// What is needed to speak to the cluster, read from files once, and again when it is refused:
/// authorities, credentials, and how to connect.
pub(crate) struct Access {
    connector: Connector,
    base: BaseUriLayer,
    auth: Option<Arc<AuthLayer>>,
    headers: ExtraHeadersLayer,
    pub(crate) since: Instant,
}

/// Reads where the cluster is, and who this is. Nothing is connected.
pub(crate) async fn load(config: &KubernetesConfig) -> Result<Config, Error> {
    let in_cluster = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let named = config.kubeconfig().is_some() || config.context().is_some();
    let found = if !named && env::var_os("KUBECONFIG").is_none() && in_cluster {
        Config::incluster().map_err(|why| {
            let advice =
                "a Pod needs its service account's token: see automountServiceAccountToken";
            error::unloadable("the Pod's service account", &format!("{why}; {advice}"))
        })?
    } else {
        from_kubeconfig(config).await?
    };
    Ok(found)
}

async fn from_kubeconfig(config: &KubernetesConfig) -> Result<Config, Error> {
    let place = match (config.kubeconfig(), env::var("KUBECONFIG")) {
        (Some(file), _) => format!("the kubeconfig {file:?}"),
        (None, Ok(files)) => format!("the kubeconfig {files:?}, named by KUBECONFIG,"),
        (None, Err(_)) => {
            "the kubeconfig ~/.kube/config (KUBECONFIG is not set, and this does not \
                           run in a Pod)"
                .to_owned()
        }
    };
    let failed =
        |why: kube::config::KubeconfigError| error::unloadable(&place, &of_a_kubeconfig(&why));
    let read = config
        .kubeconfig()
        .map_or_else(Kubeconfig::read, |file: &Path| Kubeconfig::read_from(file));
    let kubeconfig = read.map_err(failed)?;
    let names_a_proxy = kubeconfig
        .clusters
        .iter()
        .filter_map(|named| named.cluster.as_ref())
        .any(|cluster| cluster.proxy_url.as_ref().is_some_and(|proxy| !proxy.is_empty()));
    let context = config.context().map(str::to_owned);
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let found = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(failed)?;
    if names_a_proxy && found.proxy_url.is_some() {
        return Err(error::unloadable(&place, "proxy-url is set, and proxies are not supported"));
    }
    Ok(found)
}

impl Access {
    /// Makes it of what was read. A plugin for credentials may be run, which takes its time.
    pub(crate) async fn new(config: Config, ours: &KubernetesConfig) -> Result<Self, Error> {
        let limit = ours.connect_timeout();
        let made = task::spawn_blocking(move || {
            let tls = tls::config(&config)?;
            let mut tcp = HttpConnector::new();
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(limit));
            let mut tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
            if let Some(name) = &config.tls_server_name {
                let name = ServerName::try_from(name.clone())
                    .map_err(|error| format!("tls-server-name {name:?}: {error}"))?;
                tls = tls.with_server_name_resolver(FixedServerNameResolver::new(name));
            }
            let mut connector = TimeoutConnector::new(tls.enable_http1().wrap_connector(tcp));
            connector.set_connect_timeout(Some(limit));
            Ok::<_, String>(Self {
                connector,
                base: config.base_uri_layer(),
                auth: config.auth_layer().map_err(|error| of_configuration(&error))?.map(Arc::new),
                headers: config.extra_headers_layer().map_err(|error| of_configuration(&error))?,
                since: Instant::now(),
            })
        });
        let unusable =
            |why: String| Error::new(ErrorKind::Denied, "use the cluster's credentials", why);
        match made.await {
            Ok(made) => made.map_err(unusable),
            Err(_) => Err(unusable("reading them was broken off; see above".to_owned())),
        }
    }

    /// A client that shares no connection with any other, and repeats no request: whether one was
    /// carried out is for the kernel to find out.
    pub(crate) fn client(&self, namespace: &str) -> Client {
        let pool = Pool::builder(TokioExecutor::new()).build(self.connector.clone());
        let service = ServiceBuilder::new()
            .layer(self.base.clone())
            .option_layer(self.auth.clone().map(Shared))
            .layer(self.headers.clone())
            .map_err(BoxError::from)
            .service(pool);
        Client::new(service, namespace)
    }
}

/// One layer for several clients.
struct Shared(Arc<AuthLayer>);

impl<S> tower::Layer<S> for Shared
where
    AuthLayer: tower::Layer<S>,
{
    type Service = <AuthLayer as tower::Layer<S>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}
