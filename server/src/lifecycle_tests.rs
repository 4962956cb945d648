//! What backends are told by way of a bus that fails when it is told to.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::SystemTime;

use futures::future::BoxFuture;
use tidegate_bus::{Counters, Kind, Status};
use tidegate_hub::{Definitions, Limits, SystemClock};
use tidegate_protocol::Topic;
use tokio::sync::{oneshot, watch};

use super::*;

/// What the bus does with what it is given.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Refuses,
    /// The test answers.
    Thinks,
}

struct Fickle {
    mood: Mutex<Mood>,
    asked: Mutex<VecDeque<(String, oneshot::Sender<Result<u64, BusError>>)>>,
    taken: Mutex<Vec<String>>,
    status: watch::Sender<Status>,
}

fn refusal() -> Result<u64, BusError> {
    Err(BusError::Unavailable("as the test wants it".to_owned()))
}

impl Bus for Fickle {
    fn publish(&self, name: BusName, _: Bytes) -> Publishing {
        match *self.mood.lock() {
            Mood::Takes => {
                self.taken.lock().push(name.to_string());
                Publishing::done(Ok(1))
            }
            Mood::Refuses => Publishing::done(refusal()),
            Mood::Thinks => {
                let (sender, receiver) = oneshot::channel();
                self.asked.lock().push_back((name.to_string(), sender));
                Publishing::later(receiver)
            }
        }
    }

    fn publish_to_peers(&self, _: Bytes) -> Publishing {
        Publishing::done(Ok(0))
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Fickle {
    /// It is down until [`Fickle::is_up`].
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(mood),
            asked: Mutex::default(),
            taken: Mutex::default(),
            status: watch::Sender::new(Status {
                kind: Kind::Redis,
                up: false,
                address: None,
                since: SystemTime::now(),
                detail: None,
                clients: 0,
            }),
        })
    }

    fn is_up(&self) {
        *self.mood.lock() = Mood::Takes;
        self.status.send_modify(|status| status.up = true);
    }

    fn answers(&self, took: bool) {
        let (name, answer) = self.asked.lock().pop_front().unwrap();
        if took {
            self.taken.lock().push(name);
        }
        answer.send(if took { Ok(1) } else { refusal() }).unwrap();
    }
}

fn publisher(bus: &Arc<Fickle>) -> Arc<LifecyclePublisher> {
    let definitions = Definitions::new([], 10).unwrap();
    let hub = Hub::new(
        Limits::default(),
        definitions,
        Arc::new(SystemClock::default()),
    );
    Arc::new(LifecyclePublisher::new(bus.clone(), Arc::new(hub)))
}

fn told(topic: &str, change: Change) -> Vec<Lifecycle> {
    vec![Lifecycle {
        topic: Topic::new(topic).unwrap(),
        change,
        user: "ann".to_owned(),
        connection: "c".to_owned(),
    }]
}

/// A10: a bus that is lost while it has several of them refuses one after the other, and newer
/// ones come in between.
#[tokio::test]
async fn what_is_refused_is_told_in_its_order() {
    let bus = Fickle::new(Mood::Thinks);
    let publisher = publisher(&bus);
    publisher.tell(told("a", Change::Join));
    publisher.tell(told("b", Change::Join));
    bus.answers(false);
    let running = tokio::spawn(publisher.clone().run());
    let kept = |count| {
        let publisher = publisher.clone();
        async move {
            while publisher.queues.lock().kept.len() < count {
                tokio::task::yield_now().await;
            }
        }
    };
    kept(1).await;
    publisher.tell(told("b", Change::Leave));
    publisher.tell(told("a", Change::Leave));
    kept(3).await;
    bus.answers(false);
    kept(4).await;
    bus.is_up();
    publisher.settled().await;
    let expected = [
        "from:a:phx_join",
        "from:b:phx_join",
        "from:b:phx_leave",
        "from:a:phx_leave",
    ];
    assert_eq!(*bus.taken.lock(), expected);
    running.abort();
}

/// A10: a bus that is back before its last refusal was looked at is not told of a leave before the
/// join.
#[tokio::test]
async fn a_refusal_is_looked_at_before_more_is_told() {
    let bus = Fickle::new(Mood::Thinks);
    let publisher = publisher(&bus);
    publisher.tell(told("a", Change::Join));
    bus.answers(false);
    bus.is_up();
    publisher.tell(told("a", Change::Leave));
    let running = tokio::spawn(publisher.clone().run());
    publisher.settled().await;
    assert_eq!(*bus.taken.lock(), ["from:a:phx_join", "from:a:phx_leave"]);
    running.abort();
}

/// Answers that whoever tells has taken are not waited for.
#[tokio::test]
async fn answers_may_be_taken_by_who_tells() {
    let bus = Fickle::new(Mood::Thinks);
    let publisher = publisher(&bus);
    let running = tokio::spawn(publisher.clone().run());
    publisher.tell(told("a", Change::Join));
    // It waits for the answer by now.
    tokio::task::yield_now().await;
    bus.answers(true);
    publisher.tell(told("a", Change::Leave));
    bus.answers(true);
    publisher.settled().await;
    assert_eq!(*bus.taken.lock(), ["from:a:phx_join", "from:a:phx_leave"]);
    running.abort();
}

/// The bound while the bus is away: what does not fit is counted.
#[tokio::test]
async fn there_is_room_for_so_much_news() {
    let bus = Fickle::new(Mood::Refuses);
    let publisher = publisher(&bus);
    for _ in 0..MAX_WAITING {
        publisher.tell(told("a", Change::Join));
    }
    assert_eq!(publisher.hub.stats.drops(Drop::Lifecycle), 0);
    publisher.tell(told("a", Change::Leave));
    assert_eq!(publisher.hub.stats.drops(Drop::Lifecycle), 1);
    assert_eq!(publisher.queues.lock().len(), MAX_WAITING);
}
