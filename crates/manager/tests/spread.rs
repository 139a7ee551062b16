//! Several leases, led by several processes.

use std::collections::BTreeSet;

use crate::common::{Diary, Started, builder, free_lock_of};
use futures::StreamExt;
use leasehold_core::{LeaseLock, LeaseName, MemoryStore, Status};
use leasehold_manager::{Builder, Manager};

const LEASES: [&str; 3] = ["backups", "certs", "quotas"];

async fn store() -> MemoryStore {
    let store = MemoryStore::new();
    for lease in LEASES.into_iter().chain(["standby"]) {
        free_lock_of(&store, lease).await;
    }
    store
}

fn on(store: &MemoryStore, name: &str) -> Builder {
    LEASES.into_iter().fold(builder(name), |builder, lease| {
        builder.with_lease(lease, store.lock(LeaseName::new(lease).unwrap()))
    })
}

fn in_line(store: &MemoryStore, name: &str) -> Manager {
    let standby = store.lock(LeaseName::new("standby").unwrap());
    on(store, name).with_standby_lease(standby).build().unwrap()
}

async fn leads(manager: &Manager, leases: usize) {
    let mut elected = manager.elected();
    while elected.changed().await.unwrap().len() != leases {}
}

async fn follows(manager: &Manager, leader: &str) {
    for lease in LEASES {
        let mut status = manager.status(lease).unwrap();
        let follows =
            |status: &Status| *status == Status::Following { leader: Some(leader.into()) };
        status.wait_for(follows).await.unwrap();
    }
}

#[tokio::test]
async fn each_lease_has_its_runnables_and_may_be_led_elsewhere() {
    let (store, diary) = (store().await, Diary::default());
    let (one, other) = (on(&store, "a").build().unwrap(), on(&store, "b").build().unwrap());
    one.add_to("certs", diary.worker("certs here")).unwrap();
    one.add_to("backups", diary.worker("backups here")).unwrap();
    other.add_to("certs", diary.worker("certs there")).unwrap();
    let first = Started::new(&one);
    diary.until("certs here starts", 1).await;
    diary.until("backups here starts", 1).await;
    leads(&one, 3).await;
    let second = Started::new(&other);
    follows(&other, "a").await;
    assert!(one.step_down("certs").await);
    diary.until("certs there starts", 1).await;
    // The other lease is not touched.
    assert_eq!(diary.count("backups here ends"), 0);
    assert_eq!(
        one.elected().now().keys().map(|lease| &**lease).collect::<Vec<_>>(),
        ["backups", "quotas"]
    );
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn leases_that_become_free_while_others_stand_by_are_spread_over_those() {
    for _ in 0..5 {
        let store = store().await;
        let [first, second, third] = ["a", "b", "c"].map(|name| on(&store, name).build().unwrap());
        let alone = Started::new(&first);
        leads(&first, 3).await;
        let (b, c) = (Started::new(&second), Started::new(&third));
        follows(&second, "a").await;
        follows(&third, "a").await;
        alone.stop().await.unwrap();
        for lease in LEASES {
            let (mut here, mut there) = (second.elected(), third.elected());
            tokio::select! {
                _ = here.gained(lease) => {}
                _ = there.gained(lease) => {}
            }
        }
        let (here, there) = (second.elected().now().len(), third.elected().now().len());
        assert!(here > 0 && there > 0, "{here} and {there}");
        b.stop().await.unwrap();
        c.stop().await.unwrap();
    }
}

#[tokio::test]
async fn who_leads_several_gives_one_up_to_each_who_leads_none_and_keeps_the_last() {
    let store = store().await;
    let [first, second, third, fourth] = ["a", "b", "c", "d"].map(|name| in_line(&store, name));
    let a = Started::new(&first);
    leads(&first, 3).await;
    let b = Started::new(&second);
    leads(&second, 1).await;
    leads(&first, 2).await;
    let c = Started::new(&third);
    leads(&third, 1).await;
    leads(&first, 1).await;

    // One more finds nobody who leads two: it stays in line, and nothing moves.
    let all = [&first, &second, &third];
    let led = || all.map(|manager| manager.elected().now());
    let before = led();
    let names: BTreeSet<_> = before.iter().flat_map(|led| led.keys().cloned()).collect();
    assert_eq!(names.len(), 3);
    let d = Started::new(&fourth);
    let mut line = store.lock(LeaseName::new("standby").unwrap()).watch();
    let mut renewed = 0;
    while renewed < 10 {
        let seen = line.next().await.unwrap().unwrap();
        renewed += usize::from(seen.record.is_some_and(|record| record.holder() == Some("d")));
    }
    assert_eq!(led(), before);

    // It is the first when a lease is free.
    let lease = before[0].keys().next().unwrap().clone();
    a.stop().await.unwrap();
    fourth.elected().gained(&lease).await.unwrap();
    assert_eq!(led()[1..], before[1..]);
    for started in [b, c, d] {
        started.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_lease_of_those_who_stand_by_cannot_be_one_that_is_led() {
    let store = store().await;
    let certs = store.lock(LeaseName::new("certs").unwrap());
    let error = on(&store, "a").with_standby_lease(certs).build().unwrap_err();
    assert!(error.to_string().ends_with("it needs one of its own"), "{error}");
}

#[tokio::test]
async fn nobody_stands_by_where_there_is_nothing_to_lead() {
    let standby = store().await.lock(LeaseName::new("standby").unwrap());
    let error = builder("a").with_standby_lease(standby).build().unwrap_err();
    assert!(error.to_string().contains("none to lead"), "{error}");
}

#[tokio::test]
async fn who_is_given_what_it_does_not_stand_for_is_given_nothing_again() {
    let (store, diary) = (store().await, Diary::default());
    let lock = |name| store.lock(LeaseName::new(name).unwrap());
    let elsewhere = builder("c").with_lease("certs", lock("certs")).build().unwrap();
    let c = Started::new(&elsewhere);
    elsewhere.elected().gained("certs").await.unwrap();
    let of_two = builder("a")
        .with_lease("backups", lock("backups"))
        .with_lease("quotas", lock("quotas"))
        .with_standby_lease(lock("standby"))
        .build()
        .unwrap();
    of_two.add_to("backups", diary.worker("work")).unwrap();
    of_two.add_to("quotas", diary.worker("work")).unwrap();
    let a = Started::new(&of_two);
    diary.until("work starts", 2).await;
    // It stands by for a lease that another leads, and has no use for those of the first.
    let other = builder("b").with_lease("certs", lock("certs")).with_standby_lease(lock("standby"));
    let b = Started::new(&other.build().unwrap());
    diary.until("work starts", 3).await;
    let mut line = lock("standby").watch();
    let mut renewed = 0;
    // For longer than the first waits for it to leave the line.
    while renewed < 60 {
        let seen = line.next().await.unwrap().unwrap();
        renewed += usize::from(seen.record.is_some_and(|record| record.holder() == Some("b")));
    }
    assert_eq!(diary.count("work starts"), 3);
    for started in [a, b, c] {
        started.stop().await.unwrap();
    }
}
