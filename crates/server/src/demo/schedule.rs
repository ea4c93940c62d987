//! When things happen in the shop, and when their spans reach us.
//!
//! The story begins an hour, or as long as is asked for, before the demo does. Asked for the spans that are due by some
//! instant, the schedule tells all visits that began by then and hands out what the services'
//! exporters have sent: a span leaves a while after it ended, so a trace arrives in pieces.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::mem;

use super::import::import;
use super::random::Random;
use super::recorder::Recording;
use super::shop::{Gateway, Payment, checkout, pick_orders, visit};
use super::span::{DemoSpan, SpanContext};

const SECOND_US: u64 = 1_000_000;
const MINUTE_US: u64 = 60 * SECOND_US;

const VISITS_PER_SECOND_PAST: f64 = 0.5;
const VISITS_PER_SECOND: f64 = 1.5;
const PICKING_EVERY_US: u64 = 30 * SECOND_US;

/// In each half hour, the payment gateway is overloaded for these minutes.
const GATEWAY_PERIOD_US: u64 = 30 * MINUTE_US;
const OVERLOADED_FROM_US: u64 = 19 * MINUTE_US;
const OVERLOADED_TO_US: u64 = 22 * MINUTE_US;

/// What happens once, so that there is something to show.
const IMPORT_AGO_US: u64 = 12 * MINUTE_US;
const SLOW_CHECKOUT_AGO_US: u64 = 4 * MINUTE_US;
const FAILED_PAYMENT_AGO_US: u64 = 3 * MINUTE_US;

/// How long after its end a span is sent.
const EXPORT_DELAY_US: std::ops::Range<u64> = 200_000..1_500_000;
/// Of this share of traces, one service's spans come late…
const LATE_SHARE: f64 = 0.06;
/// … by this much.
const LATE_DELAY_US: std::ops::Range<u64> = 8_000_000..25_000_000;

/// The traces to look at first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Highlights {
    pub(super) slow_checkout: u128,
    pub(super) failed_payment: u128,
    pub(super) import: u128,
}

pub(super) struct Schedule {
    random: Random,
    start_us: u64,
    live_from_us: u64,
    next_visit_us: u64,
    next_picking_us: u64,
    /// Orders that were placed since the last picking.
    orders: Vec<SpanContext>,
    outbox: BinaryHeap<Reverse<Outgoing>>,
    sequence: u64,
}

impl Schedule {
    /// A schedule for a demo that begins at `now_us`, with this much of the past.
    pub(super) fn new(mut random: Random, now_us: u64, history_us: u64) -> (Self, Highlights) {
        let start_us = now_us.saturating_sub(history_us);
        let slow_at_us = now_us.saturating_sub(SLOW_CHECKOUT_AGO_US);
        let (slow, _) = checkout(&mut random, slow_at_us, Payment::AfterRetries);
        let failed_at_us = now_us.saturating_sub(FAILED_PAYMENT_AGO_US);
        let (failed, _) = checkout(&mut random, failed_at_us, Payment::Unreadable);
        let import = import(&mut random, now_us.saturating_sub(IMPORT_AGO_US));
        let highlights = Highlights {
            slow_checkout: slow.trace_id,
            failed_payment: failed.trace_id,
            import: import.trace_id,
        };
        let mut schedule = Self {
            random,
            start_us,
            live_from_us: now_us,
            next_visit_us: start_us,
            next_picking_us: start_us + PICKING_EVERY_US,
            orders: Vec::new(),
            outbox: BinaryHeap::new(),
            sequence: 0,
        };
        for recording in [slow, failed, import] {
            schedule.post(recording);
        }
        (schedule, highlights)
    }

    /// The spans that reach us by `now_us` and were not handed out before.
    pub(super) fn due(&mut self, now_us: u64) -> Vec<DemoSpan> {
        while self.next_visit_us.min(self.next_picking_us) <= now_us {
            if self.next_visit_us <= self.next_picking_us {
                self.tell_visit();
            } else {
                self.tell_picking();
            }
        }
        let mut due = Vec::new();
        while let Some(Reverse(next)) = self.outbox.peek()
            && next.due_us <= now_us
        {
            due.extend(self.outbox.pop().map(|Reverse(outgoing)| outgoing.span));
        }
        due
    }

    fn tell_visit(&mut self) {
        let at_us = self.next_visit_us;
        let per_second = if at_us < self.live_from_us {
            VISITS_PER_SECOND_PAST
        } else {
            VISITS_PER_SECOND
        };
        self.next_visit_us += self.random.pause_us(per_second).max(1);
        let gateway = self.gateway(at_us);
        let (recording, order) = visit(&mut self.random, at_us, gateway);
        self.orders.extend(order);
        self.post(recording);
    }

    fn tell_picking(&mut self) {
        let at_us = self.next_picking_us;
        self.next_picking_us += PICKING_EVERY_US;
        let orders = mem::take(&mut self.orders);
        if !orders.is_empty() {
            let recording = pick_orders(&mut self.random, at_us, &orders);
            self.post(recording);
        }
    }

    fn gateway(&self, at_us: u64) -> Gateway {
        let minute_us = (at_us - self.start_us) % GATEWAY_PERIOD_US;
        if (OVERLOADED_FROM_US..OVERLOADED_TO_US).contains(&minute_us) {
            Gateway::Overloaded
        } else {
            Gateway::Well
        }
    }

    fn post(&mut self, recording: Recording) {
        let choice = self.random.between(0..recording.spans.len() as u64) as usize;
        let late = self.random.chance(LATE_SHARE).then(|| {
            (
                recording.spans[choice].service,
                self.random.between(LATE_DELAY_US),
            )
        });
        for span in recording.spans {
            let lateness_us = match late {
                Some((service, delay_us)) if service == span.service => delay_us,
                _ => 0,
            };
            let due_us = span.end_us + self.random.between(EXPORT_DELAY_US) + lateness_us;
            self.sequence += 1;
            self.outbox.push(Reverse(Outgoing {
                due_us,
                sequence: self.sequence,
                span,
            }));
        }
    }
}

/// A span on its way, ordered by when it is due.
struct Outgoing {
    due_us: u64,
    sequence: u64,
    span: DemoSpan,
}

impl Ord for Outgoing {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_us, self.sequence).cmp(&(other.due_us, other.sequence))
    }
}

impl PartialOrd for Outgoing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Outgoing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Outgoing {}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::super::service::SERVICES;
    use super::super::span::{SpanKind, Status};
    use super::*;

    const NOW_US: u64 = 1_760_000_000 * SECOND_US;

    fn hour() -> (Vec<DemoSpan>, Highlights) {
        let (mut schedule, highlights) = Schedule::new(Random::new(1), NOW_US, 60 * MINUTE_US);
        (schedule.due(NOW_US), highlights)
    }

    fn traces(spans: &[DemoSpan]) -> HashMap<u128, Vec<&DemoSpan>> {
        let mut traces: HashMap<_, Vec<_>> = HashMap::new();
        for span in spans {
            traces.entry(span.context.trace_id).or_default().push(span);
        }
        traces
    }

    #[test]
    fn the_past_hour_is_full_and_the_same_each_time() {
        let (spans, _) = hour();
        assert!((30_000..100_000).contains(&spans.len()), "{}", spans.len());
        let ids = |spans: &[DemoSpan]| spans.iter().map(|s| s.context.span_id).collect::<Vec<_>>();
        assert_eq!(ids(&spans), ids(&hour().0));
        let names: HashSet<_> = spans.iter().map(|span| span.service.name).collect();
        assert_eq!(names.len(), SERVICES.len());
        let per_minute = spans.iter().fold(HashMap::new(), |mut minutes, span| {
            *minutes.entry(span.start_us / MINUTE_US).or_insert(0) += 1;
            minutes
        });
        assert!(per_minute.len() >= 60, "{per_minute:?}");
    }

    #[test]
    fn spans_nest_in_time_and_none_is_there_before_it_ended() {
        let (spans, _) = hour();
        assert!(
            spans
                .iter()
                .all(|span| span.start_us < span.end_us && span.end_us <= NOW_US)
        );
        let by_id: HashMap<_, _> = spans
            .iter()
            .map(|span| (span.context.span_id, span))
            .collect();
        for span in &spans {
            let Some(parent) = span.parent_span_id.and_then(|id| by_id.get(&id)) else {
                continue;
            };
            assert!(parent.start_us <= span.start_us, "{span:?}");
            let waits = span.kind != SpanKind::Consumer;
            assert!(!waits || span.end_us <= parent.end_us, "{span:?}");
        }
    }

    #[test]
    fn what_to_look_at_first_is_there() {
        let (spans, highlights) = hour();
        let traces = traces(&spans);
        let slow = &traces[&highlights.slow_checkout];
        assert!(
            slow.iter()
                .any(|s| s.parent_span_id.is_none() && s.end_us - s.start_us > 3 * SECOND_US)
        );
        assert!(slow.iter().any(|s| {
            s.attributes
                .iter()
                .any(|(key, _)| *key == "http.request.resend_count")
        }));
        let failed = &traces[&highlights.failed_payment];
        assert!(
            failed
                .iter()
                .any(|s| s.events.iter().any(|event| event.name == "exception"))
        );
        assert_eq!(
            traces[&highlights.import].len(),
            super::super::import::IMPORT_SPANS
        );
    }

    #[test]
    fn some_traces_fail_and_most_do_not() {
        let (spans, _) = hour();
        let traces = traces(&spans);
        let failed = traces
            .values()
            .filter(|spans| spans.iter().any(|span| span.status != Status::Unset))
            .count();
        let share = failed as f64 / traces.len() as f64;
        assert!((0.01..0.15).contains(&share), "{share}");
    }

    #[test]
    fn links_lead_to_orders() {
        let (spans, _) = hour();
        let producers: HashSet<_> = spans
            .iter()
            .filter(|span| span.kind == SpanKind::Producer)
            .map(|span| span.context.span_id)
            .collect();
        let links: Vec<_> = spans.iter().flat_map(|span| &span.links).collect();
        assert!(links.len() > 50);
        // An order that was placed last may still be on its way.
        let found = links
            .iter()
            .filter(|link| producers.contains(&link.span_id))
            .count();
        assert!(found * 10 > links.len() * 9, "{found} of {}", links.len());
    }

    #[test]
    fn live_traces_arrive_in_pieces() {
        let (mut schedule, _) = Schedule::new(Random::new(1), NOW_US, 60 * MINUTE_US);
        schedule.due(NOW_US);
        let mut last_seen: HashMap<u128, u64> = HashMap::new();
        let mut pieces: HashMap<u128, usize> = HashMap::new();
        for now_us in (NOW_US..NOW_US + 2 * MINUTE_US).step_by(SECOND_US as usize) {
            for span in schedule.due(now_us) {
                let trace_id = span.context.trace_id;
                if last_seen.insert(trace_id, now_us) != Some(now_us) {
                    *pieces.entry(trace_id).or_default() += 1;
                }
            }
        }
        assert!((100..400).contains(&pieces.len()), "{}", pieces.len());
        assert!(pieces.values().any(|pieces| *pieces > 3));
    }
}
