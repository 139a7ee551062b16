//! What is in an object: a ConfigMap, whatever the place keeps it as.

use k8s_openapi::api::core::v1::ConfigMap;
use leasehold::FencingToken;

const WANTED: &str = "wanted";
const MADE: &str = "made";
const TOKEN: &str = "leasehold.dev/token";

/// Whether something else is wanted than what was made.
pub(crate) fn is_due(object: &ConfigMap) -> bool {
    wanted(object).is_some_and(|wanted| made(object) != Some(wanted))
}

pub(crate) fn wanted(object: &ConfigMap) -> Option<&str> {
    object.data.as_ref()?.get(WANTED).map(String::as_str)
}

fn made(object: &ConfigMap) -> Option<&str> {
    object.data.as_ref()?.get(MADE).map(String::as_str)
}

/// The token of the term that made it.
pub(crate) fn token(object: &ConfigMap) -> FencingToken {
    let annotations = object.metadata.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(TOKEN));
    text.and_then(|text| FencingToken::new(text.parse().ok()?)).unwrap_or_default()
}

pub(crate) fn set_wanted(object: &mut ConfigMap, wanted: String) {
    object.data.get_or_insert_default().insert(WANTED.to_owned(), wanted);
}

/// What was made is gone.
pub(crate) fn forget_made(object: &mut ConfigMap) {
    object.data.get_or_insert_default().remove(MADE);
    object.metadata.annotations.get_or_insert_default().remove(TOKEN);
}

pub(crate) fn set_made(object: &mut ConfigMap, made: String, token: FencingToken) {
    object.data.get_or_insert_default().insert(MADE.to_owned(), made);
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(TOKEN.to_owned(), token.to_string());
}
