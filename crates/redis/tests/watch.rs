//! What is published, and who is told of it.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use leasehold_core::{LeaseLock, Record, Swap};
use leasehold_redis::RedisLock;
use leasehold_testkit::redis::{RedisOptions, RedisServer};
use tokio::time;

fn readers(server: &RedisServer) -> bool {
    server.text(&["INFO", "stats"]).contains("pubsub_channels:1")
}

#[tokio::test]
async fn who_reads_slowly_is_told_the_newest_and_nothing_is_kept_for_who_reads_no_more() {
    let server = RedisOptions::new().own().start().unwrap();
    let lock = RedisLock::connect(&server.url("jobs")).await.unwrap();
    let (mut quick, mut slow) = (lock.watch(), lock.watch());
    let mut seen = quick.next().await.unwrap().unwrap();
    assert_eq!(slow.next().await.unwrap().unwrap(), seen);
    for _ in 0..5 {
        let Swap::Written(written) =
            lock.swap(&seen, &Record::free(seen.era.clone())).await.unwrap()
        else {
            panic!("refused")
        };
        seen = quick.next().await.unwrap().unwrap();
        assert_eq!(seen, written);
    }
    assert_eq!(slow.next().await.unwrap().unwrap(), seen, "of five the newest");
    assert!(slow.next().now_or_never().is_none(), "and no other");

    drop(slow);
    assert!(readers(&server), "another reads the same channel");
    drop(quick);
    let unread = async {
        while readers(&server) {
            tokio::task::yield_now().await;
        }
    };
    time::timeout(Duration::from_secs(10), unread).await.expect("the server is told");
}
