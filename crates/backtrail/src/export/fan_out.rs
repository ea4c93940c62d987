//! Several exporters at once, as `OTEL_TRACES_EXPORTER=otlp,console` asks for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{BuildContext, Closing, Export, Exporter, ExporterError, Exporting, Outcome};
use crate::config::Warnings;
use crate::processor::{Batch, Recycle};

/// One exporter for all of these; nothing when there is nowhere to export to.
pub(crate) fn all_of(
    exporters: Vec<Exporter>,
    context: &BuildContext<'_>,
    warnings: &mut Warnings,
) -> Result<Option<Arc<dyn Export>>, ExporterError> {
    let mut built = Vec::new();
    for exporter in exporters {
        built.extend(exporter.build(context, warnings)?);
    }
    Ok(match built.len() {
        0 => None,
        1 => built.pop(),
        _ => Some(Arc::new(FanOut(built))),
    })
}

/// Exports to all at once. A batch counts as exported when all have it; spans count as rejected as often as the strictest one rejects.
#[derive(Debug)]
struct FanOut(Vec<Arc<dyn Export>>);

impl Export for FanOut {
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        Box::pin(async move {
            let mut exports = JoinSet::new();
            for exporter in &self.0 {
                let exporter = Arc::clone(exporter);
                let copy = batch.clone();
                exports.spawn(async move { exporter.export(copy, Arc::new(Forget)).await });
            }
            recycle.recycle(batch);
            let mut worst = Outcome::accepted();
            while let Some(exported) = exports.join_next().await {
                let outcome = exported.unwrap_or_else(|error| {
                    Outcome::Failed(format!("the exporter stopped: {error}"))
                });
                worst = worse(worst, outcome);
            }
            worst
        })
    }

    fn close(&self, timeout: Duration) -> Closing<'_> {
        Box::pin(async move {
            let mut closings = JoinSet::new();
            for exporter in &self.0 {
                let exporter = Arc::clone(exporter);
                closings.spawn(async move { exporter.close(timeout).await });
            }
            while closings.join_next().await.is_some() {}
        })
    }

    fn trouble(&self) -> Option<String> {
        self.0.iter().find_map(|exporter| exporter.trouble())
    }

    fn describe(&self) -> String {
        let each: Vec<_> = self.0.iter().map(|exporter| exporter.describe()).collect();
        each.join(" and ")
    }
}

fn worse(one: Outcome, other: Outcome) -> Outcome {
    match (&one, &other) {
        (Outcome::Failed(_), _) => one,
        (_, Outcome::Failed(_)) => other,
        (Outcome::Accepted { rejected: a, .. }, Outcome::Accepted { rejected: b, .. }) => {
            if a >= b { one } else { other }
        }
    }
}

/// Copies are not worth keeping.
struct Forget;

impl Recycle for Forget {
    fn recycle(&self, batch: Batch) {
        drop(batch);
    }
}
