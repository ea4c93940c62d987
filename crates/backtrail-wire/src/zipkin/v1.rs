//! Spans of version 1, which say who did what by annotations: `cs` is "the client has sent".
//!
//! One such span may tell of several services, each annotation of its own. The rules by which it becomes one span of version 2 for each service
//! are those of Zipkin's own `V1SpanConverter`: where a question has several right answers, Zipkin's is the one that people know.

use std::borrow::Cow;

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::span::{Annotation, CLIENT, CONSUMER, PRODUCER, SERVER, Span};

/// More services in one span are refused: what all of them share is written once for each.
const MAX_SERVICES: usize = 8;

/// A span of version 1.
#[derive(Debug, Clone, Default)]
pub(super) struct SpanV1<'a> {
    pub trace_id: [u8; 16],
    pub id: [u8; 8],
    pub parent_id: [u8; 8],
    pub name: Cow<'a, str>,
    pub timestamp_micros: u64,
    pub duration_micros: u64,
    pub annotations: Vec<AnnotationV1<'a>>,
    pub binary_annotations: Vec<BinaryAnnotation<'a>>,
    pub debug: bool,
}

/// Something that happened at an endpoint.
#[derive(Debug, Clone)]
pub(super) struct AnnotationV1<'a> {
    pub timestamp_micros: u64,
    pub value: Cow<'a, str>,
    /// An endpoint that is empty is none.
    pub endpoint: Option<Endpoint<'a>>,
}

/// A tag that an endpoint gave, or an address.
#[derive(Debug, Clone)]
pub(super) struct BinaryAnnotation<'a> {
    pub key: Cow<'a, str>,
    /// `None` for `true`, which makes the endpoint of `ca`, `sa` and `ma` an address.
    pub value: Option<Cow<'a, str>>,
    pub endpoint: Option<Endpoint<'a>>,
}

/// The annotations that have a meaning of their own; of each the last.
#[derive(Debug, Default)]
struct Core<'a> {
    cs: Moment<'a>,
    cr: Moment<'a>,
    sr: Moment<'a>,
    ss: Moment<'a>,
    ms: Moment<'a>,
    mr: Moment<'a>,
    ws: Moment<'a>,
    wr: Moment<'a>,
}

type Moment<'a> = Option<(u64, Endpoint<'a>)>;

impl<'a> Core<'a> {
    /// The place for an annotation, and the kind that it gives its span.
    fn place(&mut self, value: &str) -> Option<(&mut Moment<'a>, i32)> {
        Some(match value {
            "cs" => (&mut self.cs, CLIENT),
            "cr" => (&mut self.cr, CLIENT),
            "sr" => (&mut self.sr, SERVER),
            "ss" => (&mut self.ss, SERVER),
            "ms" => (&mut self.ms, PRODUCER),
            "mr" => (&mut self.mr, CONSUMER),
            "ws" => (&mut self.ws, 0),
            "wr" => (&mut self.wr, 0),
            _ => return None,
        })
    }
}

/// Gives the spans of version 2.
pub(super) fn convert<'a>(source: &SpanV1<'a>) -> Result<Vec<Span<'a>>, Fault> {
    let mut spans = Spans {
        source,
        list: vec![part(source)],
    };
    let mut core = Core::default();
    for annotation in &source.annotations {
        let place = spans.of(annotation.endpoint.as_ref())?;
        match (&annotation.endpoint, core.place(&annotation.value)) {
            (Some(endpoint), Some((moment, kind))) => {
                *moment = Some((annotation.timestamp_micros, endpoint.clone()));
                if kind != 0 {
                    spans.list[place].kind = kind;
                }
            }
            _ => spans.annotate(place, annotation.timestamp_micros, annotation.value.clone()),
        }
    }
    spans.take_calls(&mut core)?;
    spans.take_messages(&core)?;
    spans.take_binary_annotations(&core)?;
    Ok(spans.list)
}

fn part<'a>(source: &SpanV1<'a>) -> Span<'a> {
    Span {
        trace_id: source.trace_id,
        id: source.id,
        parent_id: source.parent_id,
        name: source.name.clone(),
        debug: source.debug,
        ..Span::default()
    }
}

/// The spans so far, one for each service. What names no endpoint belongs to the first.
struct Spans<'s, 'a> {
    source: &'s SpanV1<'a>,
    list: Vec<Span<'a>>,
}

impl<'a> Spans<'_, 'a> {
    /// The place of an endpoint's span.
    fn of(&mut self, endpoint: Option<&Endpoint<'a>>) -> Result<usize, Fault> {
        let Some(endpoint) = endpoint else {
            return Ok(0);
        };
        for (place, span) in self.list.iter_mut().enumerate() {
            if span.local == Endpoint::default() {
                span.local = endpoint.clone();
            }
            if span.local.service_name == endpoint.service_name {
                return Ok(place);
            }
        }
        self.add(endpoint)
    }

    fn add(&mut self, endpoint: &Endpoint<'a>) -> Result<usize, Fault> {
        if self.list.len() == MAX_SERVICES {
            return Err(Fault::ManyServices(MAX_SERVICES));
        }
        self.list.push(Span {
            local: endpoint.clone(),
            ..part(self.source)
        });
        Ok(self.list.len() - 1)
    }

    /// The span of the other side of a call within one process, or of another service.
    fn other_side(
        &mut self,
        here: &Endpoint<'a>,
        there: &Endpoint<'a>,
        kinds: (i32, i32),
    ) -> Result<usize, Fault> {
        if here.service_name != there.service_name {
            return self.of(Some(there));
        }
        let place = self.of(Some(here))?;
        self.list[place].kind = kinds.0;
        let other = self.add(there)?;
        self.list[other].kind = kinds.1;
        Ok(other)
    }

    fn annotate(&mut self, place: usize, timestamp_micros: u64, value: Cow<'a, str>) {
        self.list[place].annotations.push(Annotation {
            timestamp_micros,
            value,
        });
    }

    fn annotate_moment(&mut self, moment: &Moment<'a>, value: &'static str) -> Result<(), Fault> {
        if let Some((timestamp_micros, endpoint)) = moment {
            let place = self.of(Some(endpoint))?;
            self.annotate(place, *timestamp_micros, value.into());
        }
        Ok(())
    }

    /// The span's own time counts for more than that of its annotations.
    fn set_time(&mut self, begin: &(u64, Endpoint<'a>), end: &Moment<'a>) -> Result<(), Fault> {
        let place = self.of(Some(&begin.1))?;
        let source = self.source;
        let span = &mut self.list[place];
        if source.timestamp_micros != 0 && source.duration_micros != 0 {
            span.timestamp_micros = source.timestamp_micros;
            span.duration_micros = source.duration_micros;
        } else {
            span.timestamp_micros = begin.0;
            if let Some((end_micros, _)) = end {
                span.duration_micros = end_micros.saturating_sub(begin.0);
            }
        }
        Ok(())
    }

    /// Client and server.
    fn take_calls(&mut self, core: &mut Core<'a>) -> Result<(), Fault> {
        let source = self.source;
        // Where the start was not annotated, the span's own time may say that it was there.
        let begin_of = |end: &Moment<'a>| {
            let (end_micros, endpoint) = end.as_ref()?;
            let has_time = source.timestamp_micros != 0 && source.duration_micros != 0;
            let span_end = source
                .timestamp_micros
                .checked_add(source.duration_micros)?;
            (has_time && span_end == *end_micros)
                .then(|| (source.timestamp_micros, endpoint.clone()))
        };
        core.cs = core.cs.take().or_else(|| begin_of(&core.cr));
        core.sr = core.sr.take().or_else(|| begin_of(&core.ss));

        match (&core.cs, &core.sr) {
            (Some(cs), Some(sr)) => {
                self.set_time(cs, &core.cr)?;
                let server = self.other_side(&cs.1, &sr.1, (CLIENT, SERVER))?;
                let server = &mut self.list[server];
                server.shared = true;
                server.timestamp_micros = sr.0;
                if let Some((ss, _)) = core.ss {
                    server.duration_micros = ss.saturating_sub(sr.0);
                }
                if core.cr.is_none() && source.duration_micros == 0 {
                    // The client does not wait for an answer.
                    let client = self.of(Some(&cs.1))?;
                    self.list[client].duration_micros = 0;
                }
            }
            (Some(cs), None) if core.cr.is_some() => self.set_time(cs, &core.cr)?,
            (None, Some(sr)) if core.ss.is_some() => self.set_time(sr, &core.ss)?,
            _ => self.take_half_calls(core),
        }
        if let (None, Some(sr)) = (&core.cs, &core.sr) {
            // Version 1 had no flag for it: a server that shares its client's span leaves time to the client.
            let has_no_duration = core.ss.is_some() && source.duration_micros == 0;
            if source.timestamp_micros == 0 || has_no_duration {
                let server = self.of(Some(&sr.1))?;
                self.list[server].shared = true;
            }
        }
        Ok(())
    }

    /// What began is known, or what ended, and not both.
    fn take_half_calls(&mut self, core: &Core<'a>) {
        for place in 0..self.list.len() {
            let (begin, end, value) = match self.list[place].kind {
                CLIENT => (&core.cs, &core.cr, "cr"),
                SERVER => (&core.sr, &core.ss, "ss"),
                _ => continue,
            };
            if let Some((timestamp_micros, _)) = begin {
                self.list[place].timestamp_micros = *timestamp_micros;
            }
            if let Some((timestamp_micros, _)) = end {
                self.annotate(place, *timestamp_micros, value.into());
            }
        }
        if self.source.timestamp_micros != 0 {
            self.list[0].timestamp_micros = self.source.timestamp_micros;
            self.list[0].duration_micros = self.source.duration_micros;
        }
    }

    /// Producer and consumer, with what went over the wire between them.
    fn take_messages(&mut self, core: &Core<'a>) -> Result<(), Fault> {
        match (&core.ms, &core.mr) {
            (Some(ms), Some(mr)) => {
                let consumer = self.other_side(&ms.1, &mr.1, (PRODUCER, CONSUMER))?;
                let consumer = &mut self.list[consumer];
                consumer.shared = true;
                consumer.timestamp_micros = mr.0;
                if let Some((wr, _)) = core.wr {
                    consumer.timestamp_micros = wr;
                    consumer.duration_micros = mr.0.saturating_sub(wr);
                }
                let producer = self.of(Some(&ms.1))?;
                let producer = &mut self.list[producer];
                producer.timestamp_micros = ms.0;
                let sent = core.ws.as_ref().map(|(ws, _)| ws.saturating_sub(ms.0));
                producer.duration_micros = sent.unwrap_or_default();
            }
            (Some(ms), None) => {
                self.set_time(ms, &core.ws)?;
                self.annotate_moment(&core.wr, "wr")?;
            }
            (None, Some(mr)) => {
                match &core.wr {
                    Some(wr) => self.set_time(wr, &core.mr)?,
                    None => self.set_time(mr, &None)?,
                }
                self.annotate_moment(&core.ws, "ws")?;
            }
            (None, None) => {
                self.annotate_moment(&core.ws, "ws")?;
                self.annotate_moment(&core.wr, "wr")?;
            }
        }
        Ok(())
    }

    /// Tags, and addresses of the other side.
    fn take_binary_annotations(&mut self, core: &Core<'a>) -> Result<(), Fault> {
        let (mut client, mut server, mut broker) = (None, None, None);
        for annotation in &self.source.binary_annotations {
            let endpoint = annotation.endpoint.as_ref();
            match (&*annotation.key, &annotation.value) {
                ("ca", None) => client = endpoint,
                ("sa", None) => server = endpoint,
                ("ma", None) => broker = endpoint,
                (key, value) => {
                    let place = self.of(endpoint)?;
                    let value = value.clone().unwrap_or(Cow::Borrowed("true"));
                    // It says that the span is local, which each span without a kind is.
                    if key != "lc" || !value.is_empty() {
                        let key = annotation.key.clone();
                        self.list[place].tags.push((key, value));
                    }
                }
            }
        }

        let at_client = core.cs.as_ref().or(core.cr.as_ref());
        let at_server = core.sr.as_ref().or(core.ss.as_ref());
        if at_client.is_none() && at_server.is_none() {
            match (client, server) {
                (Some(client), Some(server)) => {
                    let place = self.of(Some(client))?;
                    self.list[place].remote = server.clone();
                }
                // An address that the span called does not make it a client.
                (None, Some(server)) => self.list[0].remote = server.clone(),
                (Some(client), None) => {
                    self.list[0].kind = SERVER;
                    self.list[0].remote = client.clone();
                }
                (None, None) => {}
            }
        } else {
            if let (Some(client), Some((_, here))) = (client, at_server)
                && client != here
            {
                let mut remote = client.clone();
                // Finagle gives the caller the name of the called; a service that calls itself would be seen.
                if remote.service_name == here.service_name {
                    remote.service_name = Cow::Borrowed("");
                }
                let place = self.of(Some(here))?;
                self.list[place].remote = remote;
            }
            if let (Some(server), Some((_, here))) = (server, at_client) {
                let place = self.of(Some(here))?;
                self.list[place].remote = server.clone();
            }
        }
        if let Some(broker) = broker {
            for (_, here) in [&core.ms, &core.mr].into_iter().flatten() {
                let place = self.of(Some(here))?;
                self.list[place].remote = broker.clone();
            }
        }
        Ok(())
    }
}
