//! The machine against a gateway made of frames: every rule, without a socket and without a
//! clock.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::event::ChannelState;

/// A machine and the time.
struct Bench {
    machine: Machine,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("ws://h/websocket");
        change(&mut config);
        let mut machine = Machine::new(config, 3);
        machine.start(0);
        Self { machine, now: 0 }
    }

    /// A machine whose connection is open.
    fn open() -> Self {
        let mut bench = Self::new();
        bench.machine.connected(0);
        bench.actions();
        bench
    }

    /// With one joined channel, whose join_ref is returned.
    fn joined(topic: &str) -> (Self, ChannelId, u64) {
        let mut bench = Self::open();
        let id = bench.machine.join(0, topic);
        bench.give_params();
        let join_ref = bench.sent_ref();
        bench.reply(join_ref, topic, "ok", json!({"id": "c:t:1"}));
        bench.actions();
        (bench, id, join_ref)
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.machine.next_action()).collect()
    }

    fn events(&mut self, id: ChannelId) -> Vec<ChannelEvent> {
        let mine = |action| match action {
            Action::Emit { channel, event } if channel == id => Some(event),
            _ => None,
        };
        self.actions().into_iter().filter_map(mine).collect()
    }

    fn answers(&mut self) -> Vec<(Ticket, Result<Payload, PushError>)> {
        let answer = |action| match action {
            Action::Answer { ticket, result } => Some((ticket, result)),
            _ => None,
        };
        self.actions().into_iter().filter_map(answer).collect()
    }

    fn sent(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.machine.next_frame())
            .map(|frame| serde_json::from_slice(frame.bytes()).unwrap())
            .collect()
    }

    /// The ref of the one frame sent.
    fn sent_ref(&mut self) -> u64 {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent[0][1].as_str().unwrap().parse().unwrap()
    }

    fn give_params(&mut self) {
        for action in self.actions() {
            if let Action::AskParams { channel, serial } = action {
                self.machine
                    .params(self.now, channel, serial, Ok(json!({"token": "t"})));
            }
        }
    }

    fn receive(&mut self, frame: &Value) {
        let frame = Encoded::Text(Bytes::from(frame.to_string()));
        self.machine.received(self.now, &frame);
    }

    fn reply(&mut self, reference: u64, topic: &str, status: &str, response: Value) {
        let reference = reference.to_string();
        let payload = json!({"status": status, "response": response});
        self.receive(&json!([reference, reference, topic, "phx_reply", payload]));
    }

    /// Runs the clock until `until`, stopping at each deadline.
    fn wait(&mut self, until: u64) {
        while let Some(deadline) = self.machine.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(deadline);
            self.machine.timeout(self.now);
        }
        self.now = until;
    }
}

fn json_payload(value: &Value) -> Payload {
    Payload::Json(Bytes::from(value.to_string()))
}

#[test]
fn a_join_has_its_own_ref_as_join_ref_and_yields_the_response() {
    let mut bench = Bench::open();
    let id = bench.machine.join(0, "room:1");
    assert_eq!(bench.machine.channel_state(id), ChannelState::Joining);
    bench.give_params();
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0][0], sent[0][1]);
    assert!(sent[0][0].is_string());
    assert_eq!(
        (&sent[0][2], &sent[0][3]),
        (&json!("room:1"), &json!("phx_join"))
    );
    assert_eq!(sent[0][4], json!({"token": "t"}));
    let join_ref: u64 = sent[0][0].as_str().unwrap().parse().unwrap();
    bench.reply(join_ref, "room:1", "ok", json!({"id": "x"}));
    let response = json!({"id": "x"});
    assert_eq!(bench.events(id), [ChannelEvent::Joined { response }]);
    assert_eq!(bench.machine.channel_state(id), ChannelState::Joined);
}

#[test]
fn events_are_taken_with_the_current_join_ref_or_none_and_no_other() {
    let (mut bench, id, join_ref) = Bench::joined("room");
    bench.receive(&json!([null, null, "room", "all", {"a": 1}]));
    bench.receive(&json!([join_ref.to_string(), null, "room", "mine", {}]));
    bench.receive(&json!(["999", null, "room", "older", {}]));
    bench.receive(&json!([null, null, "other", "foreign", {}]));
    let names: Vec<_> = bench
        .events(id)
        .into_iter()
        .map(|event| match event {
            ChannelEvent::Event { event, .. } => event.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["all", "mine"]);
    assert_eq!(bench.machine.ignored(), 2);
}

#[test]
fn what_is_no_frame_is_ignored() {
    let (mut bench, id, _) = Bench::joined("room");
    for junk in [
        json!({}),
        json!([]),
        json!([null, "9", "room", "phx_reply", 3]),
    ] {
        bench.receive(&junk);
    }
    assert_eq!(bench.events(id), []);
    assert_eq!(bench.machine.ignored(), 3);
}

#[test]
fn a_refused_join_is_tried_again_after_one_two_five_and_ten_seconds() {
    let mut bench = Bench::open();
    let id = bench.machine.join(0, "room");
    for base in [1000, 2000, 5000, 10_000, 10_000] {
        bench.give_params();
        let reference = bench.sent_ref();
        bench.reply(
            reference,
            "room",
            "error",
            json!({"reason": "token expired"}),
        );
        let reason = "token expired".to_owned();
        assert_eq!(bench.events(id), [ChannelEvent::Refused { reason }]);
        assert_eq!(bench.machine.channel_state(id), ChannelState::Retrying);
        let at = bench.machine.channels[&id].deadline().unwrap();
        assert!(
            (base / 2..=base * 3 / 2).contains(&(at - bench.now)),
            "{base}"
        );
        bench.wait(at);
        // The connection's own heartbeats are no matter here.
        bench.machine.frames.clear();
        bench.machine.frame_bytes = 0;
        if let super::link::Link::Open { heartbeat, .. } = &mut bench.machine.link {
            *heartbeat = None;
        }
    }
}

#[test]
fn join_parameters_that_cannot_be_had_are_a_refusal() {
    let mut bench = Bench::open();
    let id = bench.machine.join(0, "room");
    let Some(Action::AskParams { channel, serial }) = bench.machine.next_action() else {
        panic!("no parameters were asked for");
    };
    bench
        .machine
        .params(0, channel, serial, Err("no token: sign in".to_owned()));
    let reason = "no token: sign in".to_owned();
    assert_eq!(bench.events(id), [ChannelEvent::Refused { reason }]);
    assert!(bench.sent().is_empty());
    // The same parameters once more change nothing.
    bench.machine.params(0, channel, serial, Ok(json!({})));
    assert!(bench.sent().is_empty());
}

#[test]
fn a_join_without_an_answer_is_left_and_tried_again() {
    let mut bench = Bench::open();
    let id = bench.machine.join(0, "room");
    bench.give_params();
    let join_ref = bench.sent_ref().to_string();
    bench.wait(10_000);
    let sent = bench.sent();
    assert_eq!(
        (&sent[0][0], &sent[0][3]),
        (&json!(join_ref), &json!("phx_leave"))
    );
    assert!(matches!(
        bench.events(id)[..],
        [ChannelEvent::Refused { .. }]
    ));
    bench.wait(12_000);
    bench.give_params();
    assert_eq!(bench.sent()[0][3], "phx_join");
    // The late answer to the first join is nobody's.
    bench.reply(join_ref.parse().unwrap(), "room", "ok", json!({}));
    assert_eq!(bench.events(id), []);
}

#[test]
fn pushes_wait_for_the_join_and_are_bounded() {
    let mut bench = Bench::with(|config| config.buffered_pushes = 2);
    bench.machine.connected(0);
    let id = bench.machine.join(0, "room");
    let push = |bench: &mut Bench, n: u64| {
        bench
            .machine
            .push(0, id, "say", json_payload(&json!(n)), Some(1000 + n))
    };
    assert_eq!(push(&mut bench, 1), Ok(()));
    assert_eq!(push(&mut bench, 2), Ok(()));
    assert_eq!(push(&mut bench, 3), Err(PushError::Full));
    bench.give_params();
    let join_ref = bench.sent_ref();
    bench.reply(join_ref, "room", "ok", json!({}));
    let sent = bench.sent();
    let payloads: Vec<_> = sent.iter().map(|frame| frame[4].clone()).collect();
    assert_eq!(payloads, [json!(1), json!(2)]);
    assert!(
        sent.iter()
            .all(|frame| frame[0] == json!(join_ref.to_string()))
    );
    bench.actions();
    let reference = sent[1][1].as_str().unwrap().parse().unwrap();
    bench.reply(reference, "room", "ok", json!({"n": 2}));
    assert_eq!(
        bench.answers(),
        [(1002, Ok(json_payload(&json!({"n": 2}))))]
    );
}

/// A5: refused with the reason; also where the gateway answers without a join_ref.
#[test]
fn a_refused_push_has_its_reason_and_a_cast_asks_for_no_answer() {
    let (mut bench, id, _) = Bench::joined("room");
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), Some(77))
        .unwrap();
    let reference = bench.sent()[0][1].clone();
    let payload = json!({"status": "error", "response": {"reason": "unmatched topic"}});
    bench.receive(&json!([null, reference, "room", "phx_reply", payload]));
    assert_eq!(
        bench.answers(),
        [(77, Err(PushError::Refused("unmatched topic".into())))]
    );
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), None)
        .unwrap();
    assert_eq!(bench.sent()[0][1], Value::Null);
}

#[test]
fn a_push_times_out_and_its_late_answer_is_ignored() {
    let (mut bench, id, _) = Bench::joined("room");
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), Some(77))
        .unwrap();
    let reference = bench.sent_ref();
    bench.wait(9_999);
    assert_eq!(bench.answers(), []);
    bench.wait(10_000);
    assert_eq!(bench.answers(), [(77, Err(PushError::Timeout))]);
    bench.reply(reference, "room", "ok", json!({}));
    assert_eq!(bench.answers(), []);
}

#[test]
fn a_slow_socket_refuses_pushes_but_takes_the_leave() {
    let mut bench = Bench::with(|config| config.outgoing_frames = 1);
    bench.machine.connected(0);
    let id = bench.machine.join(0, "room");
    bench.give_params();
    let join_ref = bench.sent_ref();
    bench.reply(join_ref, "room", "ok", json!({}));
    let payload = json_payload(&json!({}));
    assert_eq!(
        bench.machine.push(0, id, "say", payload.clone(), None),
        Ok(())
    );
    assert_eq!(
        bench.machine.push(0, id, "say", payload, None),
        Err(PushError::Full)
    );
    bench.machine.leave(id, "left");
    assert_eq!(bench.sent().len(), 2);
}

#[test]
fn a_heartbeat_goes_out_each_half_minute_and_its_silence_is_a_loss() {
    let (mut bench, id, _) = Bench::joined("room");
    bench.wait(30_000);
    let sent = bench.sent();
    assert_eq!(sent[0][0], Value::Null);
    assert_eq!(
        (&sent[0][2], &sent[0][3]),
        (&json!("phoenix"), &json!("heartbeat"))
    );
    let reference = sent[0][1].as_str().unwrap().parse().unwrap();
    bench.reply(reference, "phoenix", "ok", json!({}));
    bench.wait(60_000);
    assert_eq!(bench.sent()[0][3], "heartbeat");
    assert_eq!(bench.machine.status(), Status::Open);
    // This one is not answered.
    bench.now = 90_000;
    bench.machine.timeout(90_000);
    let actions = bench.actions();
    assert!(actions.contains(&Action::Disconnect), "{actions:?}");
    let interrupted = |action: &Action| matches!(action, Action::Emit { channel, event: ChannelEvent::Interrupted { .. } } if *channel == id);
    assert!(actions.iter().any(interrupted), "{actions:?}");
    assert!(matches!(
        bench.machine.status(),
        Status::Connecting { attempt: 1, .. }
    ));
}

#[test]
fn after_a_loss_every_channel_joins_again_with_fresh_parameters() {
    let (mut bench, id, first) = Bench::joined("room");
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), Some(5))
        .unwrap();
    bench.machine.lost(0, "gone");
    let actions = bench.actions();
    let reason = "gone".to_owned();
    assert!(actions.contains(&Action::Emit {
        channel: id,
        event: ChannelEvent::Interrupted { reason }
    }));
    assert!(actions.contains(&Action::Answer {
        ticket: 5,
        result: Err(PushError::Interrupted)
    }));
    assert!(
        bench.sent().is_empty(),
        "what was not sent is not sent later"
    );
    bench.wait(15);
    assert!(bench.actions().contains(&Action::Connect));
    // Meanwhile pushes wait.
    bench
        .machine
        .push(15, id, "say", json_payload(&json!("later")), None)
        .unwrap();
    bench.machine.connected(15);
    bench.give_params();
    let second = bench.sent_ref();
    assert!(second > first);
    bench.reply(second, "room", "ok", json!({}));
    assert!(matches!(
        bench.events(id)[..],
        [ChannelEvent::Joined { .. }]
    ));
    assert_eq!(bench.sent()[0][4], json!("later"));
}

#[test]
fn tries_get_rarer_until_the_connection_has_been_good_for_a_while() {
    let mut bench = Bench::new();
    for base in [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000] {
        bench.machine.lost(bench.now, "refused");
        let Status::Connecting {
            retry_at_ms: Some(at),
            ..
        } = bench.machine.status()
        else {
            panic!("not waiting");
        };
        assert!(
            (base / 2..=base * 3 / 2).contains(&(at - bench.now)),
            "{base}"
        );
        bench.wait(at);
    }
    // A gateway that takes the connection and drops it at once is no better.
    bench.machine.connected(bench.now);
    bench.machine.lost(bench.now, "dropped");
    assert!(matches!(
        bench.machine.status(),
        Status::Connecting { attempt: 12, .. }
    ));
    bench.machine.retry_now(bench.now);
    bench.machine.connected(bench.now);
    bench.machine.lost(bench.now + 5000, "restart");
    assert!(matches!(
        bench.machine.status(),
        Status::Connecting { attempt: 1, .. }
    ));
}

#[test]
fn a_try_that_takes_too_long_is_given_up() {
    let mut bench = Bench::new();
    bench.wait(9_999);
    assert!(matches!(
        bench.machine.status(),
        Status::Connecting { attempt: 0, .. }
    ));
    bench.now = 10_000;
    bench.machine.timeout(10_000);
    assert!(bench.actions().contains(&Action::Disconnect));
    assert!(matches!(
        bench.machine.status(),
        Status::Connecting { attempt: 1, .. }
    ));
}

#[test]
fn a_failed_channel_is_joined_again_and_a_closed_one_is_over() {
    let (mut bench, id, join_ref) = Bench::joined("room");
    let join_ref = join_ref.to_string();
    bench.receive(&json!([join_ref, join_ref, "room", "phx_error", {"reason": "crash"}]));
    let reason = "crash".to_owned();
    assert_eq!(bench.events(id), [ChannelEvent::Interrupted { reason }]);
    bench.wait(1500);
    bench.give_params();
    let join_ref = bench.sent_ref();
    bench.reply(join_ref, "room", "ok", json!({}));
    bench.actions();
    let join_ref = join_ref.to_string();
    bench.receive(&json!([join_ref, join_ref, "room", "phx_close", {}]));
    assert!(matches!(
        bench.events(id)[..],
        [ChannelEvent::Closed { .. }]
    ));
    assert_eq!(bench.machine.channel_state(id), ChannelState::Closed);
    let push = bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), None);
    assert_eq!(push, Err(PushError::NotJoined));
}

/// A4: the close of an older join does not touch the newer one.
#[test]
fn a_second_channel_of_a_topic_replaces_the_first() {
    let (mut bench, first, old_ref) = Bench::joined("room");
    let second = bench.machine.join(0, "room");
    let actions = bench.actions();
    assert!(matches!(
        &actions[0],
        Action::Emit { channel, event: ChannelEvent::Closed { .. } } if *channel == first
    ));
    assert_eq!(bench.sent()[0][3], "phx_leave");
    for action in actions {
        if let Action::AskParams { channel, serial } = action {
            bench.machine.params(0, channel, serial, Ok(json!({})));
        }
    }
    let new_ref = bench.sent_ref();
    bench.reply(new_ref, "room", "ok", json!({}));
    let old_ref = old_ref.to_string();
    bench.receive(&json!([old_ref, old_ref, "room", "phx_close", {}]));
    assert!(matches!(
        bench.events(second)[..],
        [ChannelEvent::Joined { .. }]
    ));
    assert_eq!(bench.machine.channel_state(second), ChannelState::Joined);
}

#[test]
fn leaving_tells_the_gateway_the_reader_and_who_waits() {
    let (mut bench, id, join_ref) = Bench::joined("room");
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), Some(9))
        .unwrap();
    bench.sent();
    bench.machine.leave(id, "left");
    let sent = bench.sent();
    assert_eq!(sent[0][0], json!(join_ref.to_string()));
    assert_eq!(sent[0][3], "phx_leave");
    let actions = bench.actions();
    assert!(actions.contains(&Action::Answer {
        ticket: 9,
        result: Err(PushError::NotJoined)
    }));
    bench.machine.leave(id, "left");
    assert!(bench.sent().is_empty() && bench.actions().is_empty());
}

#[test]
fn closing_ends_everything_for_good() {
    let (mut bench, id, _) = Bench::joined("room");
    bench
        .machine
        .push(0, id, "say", json_payload(&json!({})), Some(9))
        .unwrap();
    bench.machine.close("closed");
    let actions = bench.actions();
    assert!(actions.contains(&Action::Disconnect));
    assert!(actions.contains(&Action::Answer {
        ticket: 9,
        result: Err(PushError::Closed)
    }));
    let late = bench.machine.join(0, "late");
    assert!(matches!(
        bench.events(late)[..],
        [ChannelEvent::Closed { .. }]
    ));
    assert_eq!(bench.machine.deadline(), None);
    bench.machine.lost(0, "x");
    bench.machine.connected(0);
    assert!(matches!(bench.machine.status(), Status::Closed { .. }));
}
