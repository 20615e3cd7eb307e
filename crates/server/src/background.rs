//! What goes on without being asked: keys rotated in time, old rows removed, metrics kept small.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use service::Service;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::telemetry::METRICS_UPKEEP;
use crate::words;

/// How often the signing keys are looked after: well within the hour that a key is published before it signs.
const TICK: Duration = Duration::from_mins(1);
/// How often old rows are removed.
const SWEEP: Duration = Duration::from_hours(1);

/// The tasks; they end with this value.
pub struct Background {
    _tasks: JoinSet<()>,
}

/// Starts the tasks.
pub fn start(service: &Arc<Service>, metrics: Option<PrometheusHandle>) -> Background {
    let mut tasks = JoinSet::new();
    tasks.spawn(tick(Arc::clone(service)));
    tasks.spawn(sweep(Arc::clone(service)));
    if let Some(metrics) = metrics {
        tasks.spawn(upkeep(metrics));
    }
    Background { _tasks: tasks }
}

async fn tick(service: Arc<Service>) {
    let mut pace = pace(TICK);
    loop {
        pace.tick().await;
        if let Err(error) = service.tick().await {
            report("signing keys could not be looked after", &error);
        }
    }
}

async fn sweep(service: Arc<Service>) {
    let mut pace = pace(SWEEP);
    loop {
        pace.tick().await;
        if let Err(error) = service.sweep().await {
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

/// After a pause of the machine one tick is enough.
fn pace(period: Duration) -> tokio::time::Interval {
    let mut pace = interval(period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn report(what: &str, error: &service::Error) {
    tracing::error!(code = error.code.as_str(), cause = words::causes(error), "{what}");
}
