//! Background tasks: mails sent, keys rotated in time, old rows removed, metrics kept small.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use service::{Dispatched, Service};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::telemetry::METRICS_UPKEEP;
use crate::words;

/// Interval between looks at the signing keys: well within the hour that a key is published before it signs.
const TICK: Duration = Duration::from_mins(1);
/// Interval between removals of old rows.
const SWEEP: Duration = Duration::from_hours(1);

/// Longest wait for a sign of new mail: other processes and the command line write mails too.
const MAIL_POLL: Duration = Duration::from_secs(5);
/// First pause after a mail server could not be used; each further one is twice as long.
const MAIL_PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Longest such pause: a server that comes back is noticed soon enough.
const MAIL_PAUSE_MAX: Duration = Duration::from_mins(1);

/// The tasks; they end with this value at the latest.
pub struct Background {
    service: Arc<Service>,
    mails: JoinHandle<()>,
    _tasks: JoinSet<()>,
}

impl Background {
    /// Ends the tasks. The links that people were promised are written into the outbox first; the mail that is
    /// being sent is sent, so that it is not sent again.
    pub async fn stop(mut self) {
        let sending = self.service.delivery.timeout();
        if timeout(sending, self.service.people.link_requests_settled()).await.is_err() {
            tracing::warn!("requests for links were given up: they were not worked off in time");
        }
        self.service.delivery.stop_mails();
        if timeout(sending, &mut self.mails).await.is_err() {
            self.mails.abort();
        }
    }
}

/// Starts the background tasks; the one for metrics only if they are recorded.
pub fn start(service: &Arc<Service>, metrics: Option<PrometheusHandle>) -> Background {
    let mut tasks = JoinSet::new();
    tasks.spawn(tick(Arc::clone(service)));
    tasks.spawn(sweep(Arc::clone(service)));
    if let Some(metrics) = metrics {
        tasks.spawn(upkeep(metrics));
    }
    Background { service: Arc::clone(service), mails: tokio::spawn(mails(Arc::clone(service))), _tasks: tasks }
}

async fn mails(service: Arc<Service>) {
    let mut pause = MAIL_PAUSE_FIRST;
    loop {
        let dispatching = Arc::clone(&service);
        // A task of its own: a mail that makes it panic is left to its lease, and the others go on.
        let reason = match tokio::spawn(async move { dispatching.delivery.dispatch_mails().await }).await {
            Ok(Ok(Dispatched::Stopped)) => return,
            Ok(Ok(Dispatched::All)) => {
                pause = MAIL_PAUSE_FIRST;
                // Woken or not, it is time to look again.
                let _woken = timeout(MAIL_POLL, service.delivery.mail_waits()).await;
                continue;
            }
            Ok(Ok(Dispatched::Unavailable(reason))) => reason,
            Ok(Err(error)) => words::causes(&error),
            Err(panic) => panic.to_string(),
        };
        tracing::warn!(reason, pause_seconds = pause.as_secs(), "mail waits");
        sleep(pause).await;
        pause = (pause * 2).min(MAIL_PAUSE_MAX);
    }
}

async fn tick(service: Arc<Service>) {
    let mut pace = pace(TICK);
    loop {
        pace.tick().await;
        if let Err(error) = service.installation.tick().await {
            report("signing keys, or mails to first owners, could not be looked after", &error);
        }
    }
}

async fn sweep(service: Arc<Service>) {
    let mut pace = pace(SWEEP);
    loop {
        pace.tick().await;
        if let Err(error) = service.installation.sweep().await {
            report("old rows could not be removed", &error);
        }
    }
}

async fn upkeep(metrics: PrometheusHandle) {
    let mut pace = pace(METRICS_UPKEEP);
    loop {
        pace.tick().await;
        metrics.run_upkeep();
    }
}

/// Paces a task: after a pause of the machine one tick is enough.
fn pace(period: Duration) -> tokio::time::Interval {
    let mut pace = interval(period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn report(what: &str, error: &service::Error) {
    tracing::error!(code = error.code.as_str(), cause = words::causes(error), "{what}");
}
