//! One contract for both buses.
//!
//! Every function of the suite runs against the in-process bus, reached through its listener,
//! and against a real `redis-server` that the test starts on a free port with a temporary
//! folder. What the two are expected to say is the same, byte for byte where bytes are compared,
//! so that the real server vouches for the expectations. [`bounds`] holds for the in-process bus
//! alone, [`recovery`] for Redis alone.
//!
//! Needs `redis-server`, `redis-cli` and a Python with the client pinned in `requirements.txt`:
//! the one in `TIDEGATE_PYTHON`, or `.venv/bin/python` of the repository, or `python3`.

// The settings of clippy let tests unwrap, but not the functions beside them.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bounds;
mod clients;
mod events;
mod protocol;
mod raw;
mod recovery;
mod server;
mod stage;

macro_rules! contract {
    ($($module:ident::$test:ident,)*) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::$module::$test(crate::stage::Stage::in_process()).await;
            })*
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::$module::$test(crate::stage::Stage::redis().await).await;
            })*
        }
    };
}

contract! {
    events::topics_are_literal_and_end_at_the_last_colon,
    events::events_from_clients_reach_literal_subscribers,
    events::names_that_are_none_are_refused,
    events::bodies_arrive_byte_for_byte,
    events::order_is_kept,
    events::the_gateway_hears_itself,
    events::the_gateway_knows_whether_anybody_listens,
    events::a_subscriber_hears_each_subscription_that_fits,
    events::gateways_talk_apart_from_plugins,
    protocol::resp2_says_what_redis_says,
    protocol::resp3_says_what_redis_says,
    protocol::transactions_say_what_redis_says,
    protocol::transactions_are_carried_out_whole_or_not_at_all,
    protocol::globs_match_what_redis_matches,
    clients::redis_py_is_a_plugin,
    clients::redis_cli_publishes_and_subscribes,
    clients::the_rust_client_speaks_both_protocols,
}
