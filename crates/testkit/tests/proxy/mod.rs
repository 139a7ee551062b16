//! Each fault of the TCP proxy, by name, between real sockets.
mod black_hole;
mod ends;
mod wire;

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use leasehold_testkit::{
    Direction::{Both, Requests},
    Proxy,
};

use self::wire::{Wire, accept, close, connect, hear, hear_close, say};

#[test]
fn a_healthy_link_carries_everything_both_ways_unchanged() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    let echo = thread::spawn(move || {
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).unwrap();
        far.write_all(&heard).unwrap();
    });
    near.write_all(&sent).unwrap();
    // One direction is closed, the other goes on.
    close(&near);
    let mut back = Vec::new();
    near.read_to_end(&mut back).unwrap();
    assert!(sent == back, "{} bytes of {}", back.len(), sent.len());
    echo.join().unwrap();
    assert_eq!(link.accepted(), 1);
}

#[test]
fn a_connection_that_came_another_way_is_carried_as_those_that_came_to_the_address() {
    let Wire { server, link, near: mut first, far: _far } = Wire::new();
    let other_door = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(other_door.local_addr().unwrap()).unwrap();
    link.carry(accept(&other_door)).unwrap();
    let mut far = accept(&server);
    say(&mut near, "?");
    hear(&mut far, "?");
    say(&mut far, "!");
    hear(&mut near, "!");
    assert_eq!((link.accepted(), link.connections()), (2, 2));
    link.reset();
    for near in [&mut near, &mut first] {
        assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_healthy_link_takes_no_time_to_speak_of() {
    let Wire { mut near, mut far, link: _link, .. } = Wire::new();
    let began = Instant::now();
    for _ in 0..1_000 {
        say(&mut near, "?");
        hear(&mut far, "?");
        say(&mut far, "!");
        hear(&mut near, "!");
    }
    // A few hundredths of a second, where no way waits for a tick of a timer; if one does, two.
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
}

#[test]
fn a_delay_holds_for_the_direction_it_is_set_for_and_keeps_the_order() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    let by = Duration::from_secs(1);
    link.delay(Requests, by);
    let began = Instant::now();
    for word in ["one ", "two ", "three"] {
        say(&mut near, word);
        thread::sleep(Duration::from_millis(50));
    }
    say(&mut far, "prompt");
    hear(&mut near, "prompt");
    assert!(began.elapsed() < by, "replies are not delayed: {:?}", began.elapsed());
    hear(&mut far, "one two three");
    let took = began.elapsed();
    // The last was sent after 100 ms. One after the other they would have taken 3 s.
    assert!(took >= by + Duration::from_millis(100), "{took:?}");
    assert!(took < by * 3, "several are under way at once: {took:?}");
}

#[test]
fn a_throttled_link_carries_no_more_than_it_may() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    link.throttle(Both, 100_000);
    let began = Instant::now();
    let words = "x".repeat(30_000);
    say(&mut near, &words);
    hear(&mut far, &words);
    // The last portion of 20 ms is not waited out.
    assert!(began.elapsed() >= Duration::from_millis(270), "{:?}", began.elapsed());
}

#[test]
fn connections_from_now_on_go_to_the_new_target_and_the_others_stay() {
    let Wire { link, mut near, mut far, .. } = Wire::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    link.black_hole(Both);
    link.set_target(other.local_addr().unwrap());
    link.heal();
    say(&mut connect(&link), "to the other");
    hear(&mut accept(&other), "to the other");
    say(&mut near, "to the first");
    hear(&mut far, "to the first");
}

// The runtime of this test does nothing meanwhile, and its clock stands still.
#[tokio::test(start_paused = true)]
async fn a_link_does_not_need_the_runtime_of_the_test() {
    let Wire { link, mut near, mut far, .. } = Wire::new();
    link.delay(Requests, Duration::from_millis(20));
    say(&mut near, "there");
    hear(&mut far, "there");
    say(&mut far, "and back");
    hear(&mut near, "and back");
}

#[test]
fn dropped_it_closes_everything() {
    let Wire { link, mut near, mut far, .. } = Wire::new();
    let address = link.address();
    drop(link);
    assert_eq!((hear_close(&mut near), hear_close(&mut far)), (String::new(), String::new()));
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn a_link_can_be_handed_to_another_thread() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Proxy>();
}
