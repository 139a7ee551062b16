use crate::{Error, LeaseLock, Record, Swap};

/// Creates the lease, free, if nothing is written; says whether it did.
///
/// For a first roll-out. That nothing is written proves nothing: the record may have been deleted
/// under a living leader, so candidates wait a whole lease duration before they take a lease that
/// is not there. Whoever *knows* that nobody leads creates it beforehand. (Candidates that live and have
/// seen a term before wait all the same: to them it looks like a store that was restored.)
///
/// # Errors
/// Those of the store. It is then unknown whether it was created; calling again is harmless.
///
/// # Cancel safety
/// Dropped, it may or may not have been created.
///
/// ```
/// use leasehold_core::{LeaseName, MemoryStore, create_free};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), leasehold_core::Error> {
/// let lock = MemoryStore::new().lock(LeaseName::new("jobs")?);
/// assert!(create_free(&lock).await?);
/// assert!(!create_free(&lock).await?, "it is there already");
/// # Ok(())
/// # }
/// ```
pub async fn create_free(lock: &dyn LeaseLock) -> Result<bool, Error> {
    let seen = lock.observe().await?;
    if seen.record.is_some() {
        return Ok(false);
    }
    let free = Record::free(seen.era.clone());
    Ok(matches!(lock.swap(&seen, &free).await?, Swap::Written(_)))
}
