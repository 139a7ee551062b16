use std::thread;

use leasehold_testkit::Direction::{Both, Replies, Requests};

use super::wire::{
    Wire, accept, connect, hear, hear_close, hear_nothing, hear_reset, pass_by, reset, say,
};

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
fn a_reset_reaches_those_too_who_wait_for_a_black_hole_to_end() {
    let Wire { link, mut near, mut far, .. } = Wire::new();
    link.black_hole(Both);
    let mut waiting = pass_by(&link);
    link.reset();
    hear_reset(&mut near);
    hear_reset(&mut far);
    hear_reset(&mut waiting);
}

#[test]
fn the_link_knows_when_something_last_arrived() {
    let Wire { mut near, mut far, link, .. } = Wire::new();
    assert_eq!(link.last_carried(Both), None);
    say(&mut near, "request");
    hear(&mut far, "request");
    let request = link.last_carried(Requests).unwrap();
    assert_eq!(link.last_carried(Replies), None);
    link.black_hole(Requests);
    say(&mut near, "too late");
    say(&mut far, "reply");
    hear(&mut near, "reply");
    assert_eq!(link.last_carried(Requests), Some(request));
    assert_eq!(link.last_carried(Both), link.last_carried(Replies));
    link.heal();
    hear(&mut far, "too late");
    assert!(link.last_carried(Requests) > Some(request));
}
