use anyhow::{Context, Result, ensure};
use etcd_client::{
    Compare, CompareOp, EventType, GetOptions, PutOptions, SortOrder, SortTarget, Txn, TxnOp,
    WatchOptions,
};

use crate::place::{Place, within};

/// Puts a key on the lease, and waits until no older one is left. Its revision is what makes it the
/// oldest, and is a token that grows from leader to leader.
pub(crate) async fn won(place: &Place, lease: i64, id: &str) -> Result<i64> {
    let key = format!("{}{lease:x}", place.keys);
    let absent = Compare::create_revision(key.as_str(), CompareOp::Equal, 0);
    let put = TxnOp::put(key.as_str(), id, Some(PutOptions::new().with_lease(lease)));
    let txn = Txn::new().when([absent]).and_then([put]);
    let put = within(place.client.kv_client().txn(txn)).await?;
    ensure!(put.succeeded(), "{key} is there, and nobody else may make it");
    let revision = put.header().context("an answer without a header")?.revision();

    // The key before its own, as others put theirs one after the other.
    let before = GetOptions::new()
        .with_prefix()
        .with_sort(SortTarget::Create, SortOrder::Descend)
        .with_limit(1)
        .with_keys_only()
        .with_max_create_revision(revision - 1);
    loop {
        let mut kv = place.client.kv_client();
        let seen = within(kv.get(place.keys.as_str(), Some(before.clone()))).await?;
        let Some(before) = seen.kvs().first() else { return Ok(revision) };
        let now = seen.header().context("an answer without a header")?.revision();
        deleted(place, before.key(), now + 1).await?;
    }
}

/// Waits until a key is deleted.
async fn deleted(place: &Place, key: &[u8], from: i64) -> Result<()> {
    let options = WatchOptions::new().with_start_revision(from);
    let mut news = within(place.client.watch_client().watch(key, Some(options))).await?;
    while let Some(news) = news.message().await? {
        ensure!(!news.canceled(), "the watch ended: {}", news.cancel_reason());
        if news.events().iter().any(|event| event.event_type() == EventType::Delete) {
            return Ok(());
        }
    }
    anyhow::bail!("the watch ended")
}
