use std::time::Duration;

use leasehold_core::{Error, ErrorKind};
use tokio::time;

/// The longest that anything here waits for a store. Electors give up sooner; this is for those who
/// call a lock themselves.
pub const LONGEST_CALL: Duration = Duration::from_secs(5);

/// Waits for what a store is asked for, and says what to do about its `silence`.
///
/// # Errors
/// As `work`, or that it took too long.
pub async fn within<T>(
    operation: &str,
    silence: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match time::timeout(LONGEST_CALL, work).await {
        Ok(done) => done,
        Err(_) => {
            let message = format!("no answer in {LONGEST_CALL:?}; {silence}");
            Err(Error::new(ErrorKind::Timeout, operation.to_owned(), message))
        }
    }
}

/// What was watched ended with its connection.
pub fn disconnected(operation: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        "the connection ended, and with it what was pushed; it will be opened again",
    )
}
