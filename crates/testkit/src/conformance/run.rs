use std::{future::Future, time::Duration};

use tokio::{runtime, time};

/// Longer than any sentence takes on the slowest store: what exceeds it hangs.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs one test on a runtime of its own, with several threads, for no longer than three minutes.
///
/// # Panics
/// If the test does, if it takes longer, or if there can be no runtime.
pub fn run(sentence: &str, test: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    let ended = runtime.block_on(async { time::timeout(LIMIT, test).await });
    // A backend may have left a blocking call behind; its test is over nevertheless.
    runtime.shutdown_timeout(Duration::from_secs(1));
    assert!(ended.is_ok(), "{sentence}: hangs: not done after {LIMIT:?}");
}
