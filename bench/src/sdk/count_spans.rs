//! How many spans an OTLP request holds, without decoding them: the sink shares the machine with
//! what is measured, so it does as little as it can.

use anyhow::{Context as _, Result, bail};

/// `ExportTraceServiceRequest.resource_spans`.
const RESOURCE_SPANS: u64 = 1;
/// `ResourceSpans.scope_spans`.
const SCOPE_SPANS: u64 = 2;
/// `ScopeSpans.spans`.
const SPANS: u64 = 2;

pub(super) fn count_spans(request: &[u8]) -> Result<u64> {
    let mut spans = 0;
    let mut request = Message(request);
    while let Some(mut resource_spans) = request.next_of(RESOURCE_SPANS)? {
        while let Some(mut scope_spans) = resource_spans.next_of(SCOPE_SPANS)? {
            while scope_spans.next_of(SPANS)?.is_some() {
                spans += 1;
            }
        }
    }
    Ok(spans)
}

/// A message in protobuf, read from its beginning.
struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    /// The next message with the number `field`; everything before it is skipped.
    fn next_of(&mut self, field: u64) -> Result<Option<Message<'a>>> {
        while !self.0.is_empty() {
            let key = self.varint()?;
            match key & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let len = self.varint()?;
                    let inner = self.take(len)?;
                    if key >> 3 == field {
                        return Ok(Some(Message(inner)));
                    }
                }
                5 => drop(self.take(4)?),
                other => bail!("unknown wire type {other}"),
            }
        }
        Ok(None)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().context("a number is cut off")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        bail!("a number is too long")
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let taken = usize::try_from(len)
            .ok()
            .and_then(|len| self.0.split_at_checked(len));
        let (taken, rest) = taken.with_context(|| format!("{len} bytes are not there"))?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;
    use crate::workload::Workload;

    #[test]
    fn every_span_of_a_request_is_counted_once() {
        let bytes: Vec<u8> = Workload::new(1, 0)
            .requests(3_000)
            .flat_map(|request| request.message.encode_to_vec())
            .collect();
        let decoded = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        let scopes = decoded.resource_spans.iter().flat_map(|r| &r.scope_spans);
        let expected: usize = scopes.map(|scope| scope.spans.len()).sum();
        assert_eq!(count_spans(&bytes).unwrap(), expected as u64);
    }

    #[test]
    fn a_request_that_is_cut_off_is_an_error() {
        let bytes: Vec<u8> = Workload::new(1, 0)
            .requests(10)
            .flat_map(|request| request.message.encode_to_vec())
            .collect();
        assert!(count_spans(&bytes[..bytes.len() - 1]).is_err());
    }
}
