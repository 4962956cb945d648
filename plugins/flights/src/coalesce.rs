//! Many requests, few answers: each request is answered, but answers keep a distance.

use std::time::Duration;

use tokio::time::Instant;

/// When the next answer is due.
#[derive(Debug)]
pub(crate) struct Coalesce {
    distance: Duration,
    last: Option<Instant>,
    due: Option<Instant>,
}

impl Coalesce {
    /// Answers at least `distance` apart.
    pub(crate) fn new(distance: Duration) -> Self {
        Self {
            distance,
            last: None,
            due: None,
        }
    }

    /// Somebody asks. The answer is due at once when the last one is long enough ago, else as
    /// soon as it is; a request while an answer is due is covered by that answer.
    pub(crate) fn ask(&mut self, now: Instant) {
        let earliest = self.last.map_or(now, |last| last + self.distance);
        self.due.get_or_insert(earliest.max(now));
    }

    /// Resolves when an answer is due; never while nobody asked. Cancel safe.
    pub(crate) async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// The answer was given, or could not be.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.last = Some(now);
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many ask for two seconds, four answers a second are given, the first at once.
    #[tokio::test(start_paused = true)]
    async fn four_answers_a_second() {
        let mut coalesce = Coalesce::new(Duration::from_millis(250));
        let start = Instant::now();
        let mut answers = Vec::new();
        while start.elapsed() < Duration::from_secs(2) {
            coalesce.ask(Instant::now());
            tokio::select! {
                () = coalesce.due() => {
                    answers.push(start.elapsed().as_millis());
                    coalesce.answered(Instant::now());
                }
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
        // The last one may be due in the very instant in which the two seconds end.
        assert!((8..=9).contains(&answers.len()), "{answers:?}");
        assert!(
            answers.windows(2).all(|pair| pair[1] - pair[0] >= 250),
            "{answers:?}"
        );
        assert_eq!(answers[0], 0);
    }

    /// Nobody asked: no answer.
    #[tokio::test(start_paused = true)]
    async fn silence_is_not_answered() {
        let coalesce = Coalesce::new(Duration::from_millis(250));
        let waited = tokio::time::timeout(Duration::from_secs(3600), coalesce.due()).await;
        assert!(waited.is_err());
    }
}
