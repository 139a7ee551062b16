use std::{fmt::Display, future::Future, time::Duration};

use tokio::{task::JoinSet, time};

/// Whatever is waited for here comes within a few seconds, also on a busy machine, or never.
const NEVER: Duration = Duration::from_secs(40);

/// Waits for something that comes soon.
///
/// # Panics
/// If it does not, with what was waited for and what had happened.
pub async fn within<T>(what: &str, history: impl Display, wanted: impl Future<Output = T>) -> T {
    match time::timeout(NEVER, wanted).await {
        Ok(come) => come,
        Err(_) => panic!("waited in vain: {what}\n{history}"),
    }
}

/// So many rounds of something, as many side by side as there are lanes. A lane is told its number
/// and how many rounds it has.
///
/// # Panics
/// As a lane does.
pub async fn rounds<F>(
    rounds: usize,
    lanes: usize,
    lane: impl Fn(usize, usize) -> F,
) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut all = JoinSet::new();
    for number in 0..lanes {
        // The first ones have one more where they cannot all have as many.
        all.spawn(lane(number, rounds / lanes + usize::from(number < rounds % lanes)));
    }
    all.join_all().await
}
