use std::{thread, time::Duration};

use leasehold_testkit::Direction::{Both, Replies, Requests};

use super::wire::{Wire, accept, connect, hear, hear_close, hear_nothing, hear_reset, reset, say};

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
