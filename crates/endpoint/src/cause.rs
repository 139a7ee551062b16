use std::{error::Error, io, sync::Arc};

/// One of this type among the causes of an error, or the error itself.
///
/// The system's errors keep theirs inside, and show what is behind it instead; and so does a
/// pointer that is shared.
pub fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let inside = inside.map(|inside| inside as &(dyn Error + 'static));
    let shared = error.downcast_ref::<Arc<dyn Error + Send + Sync>>();
    let shared = shared.map(|shared| &**shared as &(dyn Error + 'static));
    let deeper = inside.or(shared).and_then(cause);
    deeper.or_else(|| error.source().and_then(cause))
}
