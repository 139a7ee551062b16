use std::sync::{Arc, OnceLock};

use leasehold_core::{Error, ErrorKind, LeaseLock, LeaseName, MemoryStore};
use percent_encoding::percent_decode_str;
use url::Url;

/// A form of [`connect`]'s URLs, and the feature that it needs: none for memory.
struct Form {
    schemes: &'static [&'static str],
    feature: Option<&'static str>,
    form: &'static str,
}

const FORMS: &[Form] = &[
    Form { schemes: &["memory"], feature: None, form: "memory:NAME" },
    Form { schemes: &["file"], feature: Some("file"), form: "file:///absolute/dir/NAME" },
    Form {
        schemes: &["etcd", "etcds"],
        feature: Some("etcd"),
        form: "etcd://[user:password@]host[:port][,host[:port]…]/NAME",
    },
    Form {
        schemes: &["kubernetes"],
        feature: Some("kubernetes"),
        form: "kubernetes://[NAMESPACE]/NAME[?mixed_fleet=true]",
    },
    Form {
        schemes: &["redis", "rediss"],
        feature: Some("redis"),
        form: "redis://[user:password@]host[:port][/db]#NAME",
    },
    Form {
        schemes: &["redis+unix"],
        feature: Some("redis"),
        form: "redis+unix:///path/to.sock[?db=1&user=…&password=…]#NAME",
    },
    Form {
        schemes: &["redis+sentinel", "rediss+sentinel"],
        feature: Some("redis"),
        form: "redis+sentinel://[user:password@]host[:port][,host[:port]…]/MASTER[/db]#NAME",
    },
    Form {
        schemes: &["redis+cluster", "rediss+cluster"],
        feature: Some("redis"),
        form: "redis+cluster://[user:password@]host[:port][,host[:port]…]#NAME",
    },
];

/// What other programs call some of them.
const GUESSES: &[(&str, &str)] = &[
    ("etcd+tls", "etcds"),
    ("etcd+ssl", "etcds"),
    ("k8s", "kubernetes"),
    ("kube", "kubernetes"),
    ("redis-sentinel", "redis+sentinel"),
    ("rediss-sentinel", "rediss+sentinel"),
    ("sentinel", "redis+sentinel"),
    ("redis-cluster", "redis+cluster"),
    ("rediss-cluster", "rediss+cluster"),
    ("redis-socket", "redis+unix"),
    ("redis+socket", "redis+unix"),
    ("unix", "redis+unix"),
    ("redis+ssl", "rediss"),
    ("redis+tls", "rediss"),
    ("valkey", "redis"),
    ("valkeys", "rediss"),
];

/// The lock that a URL names, for those who choose their store at run time. NAME is the lease; in
/// it, and in a path, what a URL reserves is percent-encoded.
///
/// | URL | backend | feature |
/// |---|---|---|
/// | `memory:NAME` | within one process | |
/// | `file:///absolute/dir/NAME` | a directory | `file` |
/// | `etcd://[user:password@]host[:port][,host[:port]…]/NAME[?prefix=…]` | etcd | `etcd` |
/// | `etcds://` with `?ca=/path/ca.pem&cert=…&key=…` | the same over TLS: an authority of one's own, a certificate to show | `etcd` |
/// | `kubernetes://[NAMESPACE]/NAME[?mixed_fleet=true&label_pod=true&events=true&kubeconfig=…&context=…]` | a Lease of a cluster: the Pod's own, or a kubeconfig's | `kubernetes` |
/// | `redis://[user:password@]host[:port][/db]#NAME` | Redis or Valkey | `redis` |
/// | `redis+unix:///path/to.sock[?db=1&user=…&password=…]#NAME` | the same, by its socket | `redis` |
/// | `redis+sentinel://[user:password@]host[:port][,host[:port]…]/MASTER[/db][?sentinel_user=…&sentinel_password=…]#NAME` | the same, found by its sentinels | `redis` |
/// | `redis+cluster://[user:password@]host[:port][,host[:port]…]#NAME` | a Redis Cluster | `redis` |
/// | `rediss://`, `rediss+sentinel://`, `rediss+cluster://` with `?ca=/path/ca.pem&cert=…&key=…` | the same over TLS: an authority of one's own, a certificate to show | `redis` |
///
/// More about those of etcd is at `leasehold::etcd::EtcdConfig::from_url`, about those of Kubernetes at
/// `leasehold::kubernetes::KubernetesConfig::from_url`, about those of Redis at
/// `leasehold::redis::RedisConfig::from_url`.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a URL that does not parse, an unknown scheme (the error lists the
/// known ones), one whose feature is off (the error names it), or a name that no lease can have;
/// and whatever the backend says when it is opened. No error repeats the URL, which may hold a
/// password.
///
/// # Cancel safety
/// Dropped, nothing is left behind.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn connect(url: &str) -> Result<Arc<dyn LeaseLock>, Error> {
    // A parser of URLs would drop or replace these, and so name another lease than was meant.
    if let Some(at) = url.find(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(invalid(format!(
            "byte {at} is white space, a control character or a backslash: percent-encode it"
        )));
    }
    let scheme = scheme(url);
    let Some(form) = FORMS.iter().find(|form| form.schemes.contains(&&*scheme)) else {
        return Err(invalid(match &*scheme {
            "" => format!("it begins with no scheme; the known forms are {}", forms()),
            scheme => {
                let guess = GUESSES.iter().find(|(guess, _)| *guess == scheme);
                let meant = guess.map_or_else(String::new, |(_, meant)| {
                    format!(" (perhaps {meant}:// is meant)")
                });
                format!("the scheme {scheme:?} is unknown{meant}; the known forms are {}", forms())
            }
        }));
    };
    match form.feature {
        None => memory(&parsed(url)?),
        #[cfg(feature = "file")]
        Some("file") if url.starts_with("file:///") || url.starts_with("file://localhost/") => {
            file(&parsed(url)?).await
        }
        #[cfg(feature = "file")]
        Some("file") => Err(invalid(format!("{FILE_FORM}: three slashes, and no host"))),
        #[cfg(feature = "etcd")]
        Some("etcd") => Ok(Arc::new(leasehold_etcd::EtcdLock::connect(url).await?)),
        #[cfg(feature = "kubernetes-unversioned")]
        Some("kubernetes") => {
            Ok(Arc::new(leasehold_kubernetes::KubernetesLock::connect(url).await?))
        }
        #[cfg(feature = "redis")]
        Some("redis") => Ok(Arc::new(leasehold_redis::RedisLock::connect(url).await?)),
        Some(feature) => Err(invalid(format!(
            "the scheme {scheme:?} needs the feature {feature:?} of the crate `leasehold`: turn it \
             on with leasehold = {{ version = \"…\", features = [\"{feature}\"] }}"
        ))),
    }
}

/// What stands in front of the first colon, if it can be a scheme. Several hosts are no URL to a
/// parser, so it is not asked.
fn scheme(url: &str) -> String {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.chars().all(known) { scheme.to_ascii_lowercase() } else { String::new() }
}

fn parsed(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| {
        invalid(format!("it does not parse: {error}; the known forms are {}", forms()))
    })
}

fn memory(url: &Url) -> Result<Arc<dyn LeaseLock>, Error> {
    // One store for the process, so that the candidates of one program meet in it.
    static STORE: OnceLock<MemoryStore> = OnceLock::new();
    if url.host_str().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("a memory URL has the form memory:NAME, and nothing else"));
    }
    let name = LeaseName::new(decoded(url.path())?)?;
    Ok(Arc::new(STORE.get_or_init(MemoryStore::new).lock(name)))
}

#[cfg(feature = "file")]
const FILE_FORM: &str = "a file URL has the form file:///absolute/dir/NAME";

#[cfg(feature = "file")]
async fn file(url: &Url) -> Result<Arc<dyn LeaseLock>, Error> {
    let form = FILE_FORM;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid(format!("{form}: ? and # are written %3F and %23")));
    }
    // Split before decoding: a name may hold an encoded slash.
    let (directory, name) = url.path().rsplit_once('/').ok_or_else(|| invalid(form))?;
    if directory.is_empty() {
        return Err(invalid(format!("{form}: a directory is missing")));
    }
    let name = LeaseName::new(decoded(name)?)?;
    let directory = decoded(directory)?;
    // A file system that hangs must not hang the runtime.
    let open = move || leasehold_file::FileLock::open(directory, name);
    match tokio::task::spawn_blocking(open).await {
        Ok(lock) => Ok(Arc::new(lock?)),
        Err(error) => {
            Err(Error::new(ErrorKind::Unexpected, "open a file lease", error.to_string()))
        }
    }
}

fn forms() -> String {
    let form = |form: &Form| match form.schemes {
        [_, over_tls] => format!("{} (over TLS {over_tls}://)", form.form),
        _ => form.form.to_owned(),
    };
    FORMS.iter().map(form).collect::<Vec<_>>().join(", ")
}

fn decoded(text: &str) -> Result<String, Error> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(invalid("its percent-encoding is not UTF-8")),
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "use the URL", why.into())
}
