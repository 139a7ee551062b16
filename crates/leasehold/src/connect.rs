use std::sync::{Arc, OnceLock};

use leasehold_core::{Error, ErrorKind, LeaseLock, LeaseName, MemoryStore};
use percent_encoding::percent_decode_str;
use url::Url;

/// A scheme of [`connect`], and the feature that it needs.
struct Scheme {
    names: &'static [&'static str],
    feature: Option<&'static str>,
    form: &'static str,
}

const SCHEMES: &[Scheme] = &[
    Scheme { names: &["memory"], feature: None, form: "memory:NAME" },
    Scheme { names: &["file"], feature: Some("file"), form: "file:///absolute/dir/NAME" },
];

/// The lock that a URL names, for those who choose their store at run time. NAME is the lease; in
/// it, and in a path, what a URL reserves is percent-encoded.
///
/// | URL | backend | feature |
/// |---|---|---|
/// | `memory:NAME` | within one process | |
/// | `file:///absolute/dir/NAME` | a directory | `file` |
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
    let parsed = Url::parse(url).map_err(|error| {
        invalid(format!("it does not parse: {error}; the known forms are {}", forms()))
    })?;
    match parsed.scheme() {
        "memory" => memory(&parsed),
        #[cfg(feature = "file")]
        "file" if url.starts_with("file:///") || url.starts_with("file://localhost/") => {
            file(&parsed).await
        }
        #[cfg(feature = "file")]
        "file" => Err(invalid(format!("{FILE_FORM}: three slashes, and no host"))),
        other => Err(refused(other)),
    }
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

fn refused(scheme: &str) -> Error {
    match SCHEMES.iter().find(|known| known.names.contains(&scheme)) {
        Some(Scheme { feature: Some(feature), .. }) => invalid(format!(
            "the scheme {scheme:?} needs the feature {feature:?} of the crate `leasehold`: turn it on with \
             leasehold = {{ version = \"…\", features = [\"{feature}\"] }}"
        )),
        _ => invalid(format!("the scheme {scheme:?} is unknown; the known forms are {}", forms())),
    }
}

fn forms() -> String {
    SCHEMES.iter().map(|scheme| scheme.form).collect::<Vec<_>>().join(", ")
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
