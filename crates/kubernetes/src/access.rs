use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use http::{Request, Uri, header::AUTHORIZATION};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{
        Body, ConfigExt,
        middleware::{AuthLayer, BaseUriLayer, ExtraHeadersLayer},
    },
    config::{KubeConfigOptions, Kubeconfig},
};
use leasehold_core::{Error, ErrorKind};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::task;
use tower::{BoxError, ServiceBuilder, filter::AsyncFilterLayer};

use crate::{
    KubernetesConfig,
    advice::{of_a_kubeconfig, of_configuration},
    plugin::Plugin,
    tls,
};

type Connector = TimeoutConnector<HttpsConnector<HttpConnector>>;

/// What is needed to speak to the cluster, read from files once, and again when it is refused:
/// authorities, credentials, and how to connect.
pub(crate) struct Access {
    connector: Connector,
    base: BaseUriLayer,
    auth: Option<Arc<AuthLayer>>,
    /// In the place of `auth`.
    plugin: Option<Arc<Plugin>>,
    headers: ExtraHeadersLayer,
    pub(crate) since: Instant,
}

/// Access that somebody makes, and everybody waits for. It goes on when nobody does: a plugin for
/// credentials that takes longer than a call waits is not run again by each.
pub(crate) type Loading = Shared<BoxFuture<'static, Result<Arc<Access>, Failure>>>;

/// Why there is no access, for all who wait.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    operation: &'static str,
    why: String,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure.operation, failure.why)
    }
}

/// What was read of where the cluster is, and who this is.
pub(crate) struct Found {
    pub(crate) config: Config,
    /// The context of the kubeconfig that was current, or named.
    pub(crate) context: Option<String>,
}

/// Which cluster it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    url: Uri,
    /// Behind one address there may be several, that are told apart by their names.
    name: Option<String>,
}

impl Found {
    pub(crate) fn identity(&self) -> Identity {
        let Config { cluster_url, tls_server_name, .. } = &self.config;
        Identity { url: cluster_url.clone(), name: tls_server_name.clone() }
    }

    pub(crate) fn access(self, connect_timeout: Duration) -> Loading {
        async move { Access::new(self.config, connect_timeout).await.map(Arc::new) }
            .boxed()
            .shared()
    }
}

/// Reads all again, of the same cluster: a lease is never looked for in another one, where nobody
/// holds it.
pub(crate) fn again(ours: KubernetesConfig, known: Identity, connect_timeout: Duration) -> Loading {
    let loaded = async move {
        let found = load(&ours).await?;
        if found.identity() != known {
            let shown = |it: &Identity| match &it.name {
                Some(name) => format!("{} ({name})", server(&it.url)),
                None => server(&it.url),
            };
            return Err(Failure {
                kind: ErrorKind::Invalid,
                operation: "read the cluster's credentials again",
                why: format!(
                    "they are of another cluster by now, {} and not {}: put it back, or start this \
                     process again to use the other",
                    shown(&found.identity()),
                    shown(&known)
                ),
            });
        }
        Access::new(found.config, connect_timeout).await.map(Arc::new)
    };
    loaded.boxed().shared()
}

/// An address as people know it, where nobody has put a password into it.
pub(crate) fn server(url: &Uri) -> String {
    let (scheme, host) = (url.scheme_str().unwrap_or("https"), url.host().unwrap_or_default());
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{host}{port}{}", url.path().trim_end_matches('/'))
}

/// Reads where the cluster is, and who this is. Nothing is connected.
pub(crate) async fn load(config: &KubernetesConfig) -> Result<Found, Failure> {
    let in_cluster = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let names = env::var_os("KUBECONFIG").is_some_and(|files| !files.is_empty());
    let named = config.kubeconfig().is_some() || config.context().is_some();
    if named || names || !in_cluster {
        return from_kubeconfig(config).await;
    }
    match Config::incluster() {
        Ok(config) => Ok(Found { config, context: None }),
        Err(why) => {
            let advice =
                "a Pod needs its service account's token: see automountServiceAccountToken";
            Err(unloadable("the Pod's service account", &format!("{why}; {advice}")))
        }
    }
}

fn unloadable(place: &str, why: &str) -> Failure {
    let why = format!("{place} says nothing usable: {why}");
    Failure { kind: ErrorKind::Invalid, operation: "find the Kubernetes cluster", why }
}

async fn from_kubeconfig(config: &KubernetesConfig) -> Result<Found, Failure> {
    let place = match (config.kubeconfig(), env::var("KUBECONFIG")) {
        (Some(file), _) => format!("the kubeconfig {file:?}"),
        (None, Ok(files)) => format!("the kubeconfig {files:?}, named by KUBECONFIG,"),
        (None, Err(_)) => {
            "the kubeconfig ~/.kube/config (KUBECONFIG is not set, and this does not \
                           run in a Pod)"
                .to_owned()
        }
    };
    let failed = |why: kube::config::KubeconfigError| unloadable(&place, &of_a_kubeconfig(&why));
    let read = config
        .kubeconfig()
        .map_or_else(Kubeconfig::read, |file: &Path| Kubeconfig::read_from(file));
    let kubeconfig = read.map_err(failed)?;
    let names_a_proxy = kubeconfig
        .clusters
        .iter()
        .filter_map(|named| named.cluster.as_ref())
        .any(|cluster| cluster.proxy_url.as_ref().is_some_and(|proxy| !proxy.is_empty()));
    let context = config.context().map(str::to_owned).or(kubeconfig.current_context.clone());
    let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
    let mut found = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(failed)?;
    if names_a_proxy && found.proxy_url.is_some() {
        return Err(unloadable(&place, "proxy-url is set, and proxies are not supported"));
    }
    check(&mut found).map_err(|why| unloadable(&place, &why))?;
    Ok(Found { config: found, context })
}

/// What the client library would panic over, or show to others.
fn check(config: &mut Config) -> Result<(), String> {
    let url = &config.cluster_url;
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let why = "it has a name and a password in it: put them into the user's entry";
        return Err(format!("the server is {}, and {why}", server(url)));
    }
    if !matches!(url.scheme_str(), Some("https" | "http")) || url.host().is_none() {
        return Err(format!("the server {url} is no URL: it begins with https://"));
    }
    // As `echo` leaves them.
    if let Some(token) = &mut config.auth_info.token {
        *token = token.expose_secret().trim().to_owned().into();
    }
    if config.default_namespace.trim().is_empty() {
        config.default_namespace = "default".to_owned();
    }
    Ok(())
}

/// # Errors
/// It cannot be sent, and why.
fn check_token_file(config: &Config) -> Result<(), String> {
    let Some(file) = &config.auth_info.token_file else { return Ok(()) };
    match fs::read_to_string(file) {
        Ok(token) if token.ends_with(['\n', '\r', ' ']) => Err(format!(
            "the tokenFile {file:?} ends with a newline or a space: write it without (printf, not echo)"
        )),
        // What else is wrong with it is said by who sends it.
        _ => Ok(()),
    }
}

impl Access {
    /// Makes it of what was read. A plugin for credentials may be run, which takes its time.
    async fn new(config: Config, connect_timeout: Duration) -> Result<Self, Failure> {
        let made = task::spawn_blocking(move || {
            let tls = tls::config(&config)?;
            check_token_file(&config)?;
            let mut tcp = HttpConnector::new();
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(connect_timeout));
            let mut tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
            if let Some(name) = &config.tls_server_name {
                let name = ServerName::try_from(name.clone())
                    .map_err(|error| format!("tls-server-name {name:?}: {error}"))?;
                tls = tls.with_server_name_resolver(FixedServerNameResolver::new(name));
            }
            let mut connector = TimeoutConnector::new(tls.enable_http1().wrap_connector(tcp));
            connector.set_connect_timeout(Some(connect_timeout));
            let auth = config.auth_layer().map_err(|error| of_configuration(&error))?;
            let is_run =
                config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some();
            let (auth, plugin) = if is_run { (None, auth) } else { (auth, None) };
            Ok::<_, String>(Self {
                connector,
                base: config.base_uri_layer(),
                auth: auth.map(Arc::new),
                plugin: plugin.map(Plugin::new),
                headers: config.extra_headers_layer().map_err(|error| of_configuration(&error))?,
                since: Instant::now(),
            })
        });
        let operation = "use the cluster's credentials";
        let unusable = |why| Failure { kind: ErrorKind::Denied, operation, why };
        match made.await {
            Ok(made) => made.map_err(unusable),
            Err(_) => Err(unusable("reading them was broken off; see above".to_owned())),
        }
    }

    /// A client that shares no connection with any other, and repeats no request: whether one was
    /// carried out is for the kernel to find out. (One of which nothing was written yet when its idle
    /// connection turned out to be closed is written to another one. That is its first time.)
    pub(crate) fn client(&self, namespace: &str) -> Client {
        let pool = Pool::builder(TokioExecutor::new()).build(self.connector.clone());
        let service = ServiceBuilder::new()
            .layer(self.base.clone())
            .option_layer(self.auth.clone().map(OfSeveral))
            .option_layer(self.plugin.clone().map(of_a_plugin))
            .layer(self.headers.clone())
            .map_err(BoxError::from)
            .service(pool);
        Client::new(service, namespace)
    }
}

/// One layer for several clients.
struct OfSeveral(Arc<AuthLayer>);

impl<S> tower::Layer<S> for OfSeveral
where
    AuthLayer: tower::Layer<S>,
{
    type Service = <AuthLayer as tower::Layer<S>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

type Named = BoxFuture<'static, Result<Request<Body>, BoxError>>;

fn of_a_plugin(
    plugin: Arc<Plugin>,
) -> AsyncFilterLayer<impl Fn(Request<Body>) -> Named + Clone + Send + 'static> {
    AsyncFilterLayer::new(move |mut request: Request<Body>| {
        let plugin = plugin.clone();
        async move {
            let header = plugin.header().await?;
            request.headers_mut().insert(AUTHORIZATION, header);
            Ok(request)
        }
        .boxed()
    })
}
