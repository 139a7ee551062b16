//! Each fault of the TCP proxy, by name, between real sockets.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod wire;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use leasehold_testkit::{
    Direction::{Both, Replies, Requests},
    Proxy,
};

use self::wire::{
    Wire, accept, close, connect, hear, hear_close, hear_nothing, hear_reset, pass_by, reset, say,
};

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
fn a_black_hole_of_requests_lets_replies_pass_and_gives_the_requests_back_late() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    link.black_hole(Requests);
    say(&mut near, "first ");
    say(&mut far, "still here");
    hear(&mut near, "still here");
    say(&mut near, "second");
    hear_nothing(&mut far);
    link.heal();
    hear(&mut far, "first second");
}

#[test]
fn a_black_hole_of_replies_lets_requests_pass_and_gives_the_replies_back_late() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    link.black_hole(Replies);
    say(&mut near, "request");
    hear(&mut far, "request");
    say(&mut far, "reply");
    hear_nothing(&mut near);
    link.heal();
    hear(&mut near, "reply");
}

#[test]
fn a_request_whose_author_has_closed_the_connection_arrives_after_the_black_hole() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    link.black_hole(Both);
    say(&mut near, "given up");
    drop(near);
    hear_nothing(&mut far);
    assert_eq!(link.connections(), 1, "nobody knows of the close");
    link.heal();
    assert_eq!(hear_close(&mut far), "given up");
}

#[test]
fn a_request_whose_author_has_reset_the_connection_is_gone() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    link.black_hole(Requests);
    say(&mut near, "never sent again");
    say(&mut far, "!");
    reset(near);
    // The link has seen it once it has seen two connections that were made later.
    for _ in 0..2 {
        pass_by(&link);
    }
    link.heal();
    assert_eq!(hear_reset(&mut far), "");
}

#[test]
fn a_connection_made_during_a_black_hole_stays_silent_until_it_is_healed() {
    for direction in [Requests, Replies, Both] {
        let Wire { server, link, .. } = Wire::new();
        link.black_hole(direction);
        let mut near = connect(&link);
        say(&mut near, "hello");
        hear_nothing(&mut near);
        link.heal();
        let mut far = accept(&server);
        hear(&mut far, "hello");
        say(&mut far, "welcome");
        hear(&mut near, "welcome");
    }
}

#[test]
fn a_connection_that_was_never_opened_and_was_given_up_reaches_nobody() {
    let Wire { server, link, near, far } = Wire::new();
    link.black_hole(Both);
    let mut given_up = connect(&link);
    say(&mut given_up, "nobody will read this");
    drop(given_up);
    // Its end has been seen once it is no more among those who wait.
    while link.accepted() < 2 || link.connections() > 1 {
        thread::yield_now();
    }
    link.heal();
    say(&mut connect(&link), "the next one");
    assert_eq!(hear_close(&mut accept(&server)), "the next one");
    drop((near, far));
}

#[test]
fn on_a_half_open_link_no_side_learns_of_the_other_ones_end() {
    let Wire { server, link, mut near, far } = Wire::new();
    let mut near_too = connect(&link);
    let far_too = accept(&server);
    link.half_open();
    // One server closes, another is gone with bytes unread.
    drop(far);
    say(&mut near_too, "!");
    reset(far_too);
    hear_nothing(&mut near);
    hear_nothing(&mut near_too);
    // What is sent to them goes nowhere, and nobody objects, however often.
    for _ in 0..20 {
        say(&mut near, "anybody?");
        say(&mut near_too, "anybody?");
        thread::sleep(Duration::from_millis(1));
    }
    hear_nothing(&mut near);
    link.heal();
    hear_reset(&mut near);
    hear_reset(&mut near_too);
}

#[test]
fn on_a_half_open_link_a_server_goes_on_with_a_client_that_is_gone() {
    let Wire { link, near, mut far, .. } = Wire::new();
    link.half_open();
    drop(near);
    for _ in 0..20 {
        say(&mut far, "news");
        thread::sleep(Duration::from_millis(1));
    }
    hear_nothing(&mut far);
    link.heal();
    hear_reset(&mut far);
}

#[test]
fn a_reset_ends_every_open_connection_on_both_sides_and_no_later_one() {
    let Wire { server, link, mut near, mut far } = Wire::new();
    let mut waiting = connect(&link);
    let mut served = accept(&server);
    link.reset();
    for end in [&mut near, &mut far, &mut waiting, &mut served] {
        assert_eq!(hear_reset(end), "");
    }
    let mut again = connect(&link);
    say(&mut accept(&server), "fine");
    hear(&mut again, "fine");
}

#[test]
fn a_reset_reaches_those_too_who_wait_for_a_black_hole_to_end() {
    let Wire { link, mut near, .. } = Wire::new();
    link.black_hole(Both);
    let mut waiting = pass_by(&link);
    link.reset();
    hear_reset(&mut near);
    hear_reset(&mut waiting);
}

#[test]
fn a_connection_is_cut_after_exactly_so_many_bytes_and_the_next_one_is_not() {
    for (direction, bytes) in [(Requests, 1), (Requests, 7), (Replies, 7), (Requests, 0)] {
        let Wire { server, link, mut near, mut far } = Wire::new();
        // What has passed already does not count.
        say(&mut near, "before");
        hear(&mut far, "before");
        link.cut_after(direction, bytes);
        let (from, to) =
            if direction == Requests { (&mut near, &mut far) } else { (&mut far, &mut near) };
        say(from, "a longer sentence");
        let part = &"a longer sentence"[..bytes as usize];
        assert_eq!(hear_reset(to), part, "{direction:?}");
        assert_eq!(hear_reset(from), "");

        let mut again = connect(&link);
        say(&mut again, "a longer sentence");
        hear(&mut accept(&server), "a longer sentence");
    }
}

#[test]
fn a_cut_counts_what_is_sent_piece_by_piece() {
    let Wire { link, mut near, mut far, .. } = Wire::new();
    link.cut_after(Both, 5);
    for (said, heard) in [("ab", "ab"), ("c", "c")] {
        say(&mut near, said);
        hear(&mut far, heard);
        say(&mut far, heard);
        hear(&mut near, heard);
    }
    say(&mut near, "defg");
    assert_eq!(hear_reset(&mut far), "de");
}

#[test]
fn who_is_refused_is_reset_and_who_was_there_stays() {
    let Wire { server, link, mut near, mut far } = Wire::new();
    link.refuse();
    hear_reset(&mut connect(&link));
    say(&mut near, "still connected");
    hear(&mut far, "still connected");
    assert_eq!((link.accepted(), link.connections()), (1, 1));
    link.heal();
    let mut again = connect(&link);
    say(&mut accept(&server), "come in");
    hear(&mut again, "come in");
}

#[test]
fn a_server_that_is_not_there_resets() {
    let Wire { server, link, near, far } = Wire::new();
    drop((server, near, far));
    hear_reset(&mut connect(&link));
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

#[test]
fn ends_of_connections_are_seen_and_counted() {
    let Wire { server, link, near, mut far } = Wire::new();
    let mut other = connect(&link);
    let far_too = accept(&server);
    assert_eq!((link.accepted(), link.connections()), (2, 2));
    drop(near);
    assert_eq!(hear_close(&mut far), "");
    drop((far, far_too));
    assert_eq!(hear_close(&mut other), "");
    drop(other);
    while link.connections() > 0 {
        thread::yield_now();
    }
    assert_eq!(link.accepted(), 2);
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
