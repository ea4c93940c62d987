//! Files as documents: unpacked, told apart by their content, and read one at a time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use host::{File, Host};
use serde_json::value::RawValue;

use super::Format;

const BUFFER_BYTES: usize = 256 << 10;
/// A larger document is refused: it is in memory as a whole.
const MAX_DOCUMENT_BYTES: u64 = 1 << 30;
/// What is looked at to tell text from protobuf.
const SNIFF_BYTES: usize = 512;

/// Why a file can't be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
    #[error("document {number}: {source}; what follows it was not read")]
    Json {
        number: u64,
        source: serde_json::Error,
    },
    #[error(
        "document {number} is none that is known: neither resourceSpans, nor Jaeger's data or spans, nor a list of Zipkin's spans; --format says what it is"
    )]
    Unknown { number: u64 },
    #[error("document {number} has {len_bytes} bytes, of at most {MAX_DOCUMENT_BYTES}")]
    TooLarge { number: u64, len_bytes: u64 },
}

/// Bytes that were read of a file, as it lies on the disk.
#[derive(Clone, Default)]
pub(super) struct ByteCounter(Rc<Cell<u64>>);

impl ByteCounter {
    pub(super) fn bytes(&self) -> u64 {
        self.0.get()
    }
}

/// A file or standard input.
pub(super) struct Source {
    reader: Box<dyn Read>,
    len: Option<u64>,
    counter: ByteCounter,
}

impl Source {
    pub(super) fn open(host: &Host, path: &Path) -> Result<Self, InputError> {
        let counter = ByteCounter::default();
        if path == Path::new("-") {
            return Ok(Self {
                reader: Box::new(Counted(io::stdin(), counter.clone())),
                len: None,
                counter,
            });
        }
        let file = host.files.open(path)?;
        let len = file.len()?;
        let reader = FileReader {
            file,
            offset: 0,
            len,
        };
        Ok(Self {
            reader: Box::new(Counted(reader, counter.clone())),
            len: Some(len),
            counter,
        })
    }

    /// Bytes in all, where that is known.
    pub(super) fn len(&self) -> Option<u64> {
        self.len
    }

    pub(super) fn counter(&self) -> ByteCounter {
        self.counter.clone()
    }

    fn unpacked(self) -> io::Result<Box<dyn BufRead>> {
        let mut packed = BufReader::with_capacity(BUFFER_BYTES, self.reader);
        let start = packed.fill_buf()?;
        Ok(if start.starts_with(&[0x1f, 0x8b]) {
            let reader = MultiGzDecoder::new(packed);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, reader))
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            let reader = zstd::Decoder::with_buffer(packed)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, reader))
        } else {
            Box::new(packed)
        })
    }
}

struct FileReader {
    file: Arc<dyn File>,
    offset: u64,
    len: u64,
}

impl Read for FileReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = (self.len - self.offset).min(buf.len() as u64) as usize;
        self.file.read_exact_at(&mut buf[..wanted], self.offset)?;
        self.offset += wanted as u64;
        Ok(wanted)
    }
}

struct Counted<R>(R, ByteCounter);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buf)?;
        let counter = &self.1.0;
        counter.set(counter.get() + read as u64);
        Ok(read)
    }
}

/// One of the things that a file is a sequence of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
}

/// The documents of a file.
pub(super) struct Documents {
    reader: Reader,
    format: Option<Format>,
    number: u64,
    is_over: bool,
}

enum Reader {
    Json(
        Box<
            serde_json::StreamDeserializer<'static, serde_json::de::IoRead<Limited>, Box<RawValue>>,
        >,
        Rc<Cell<u64>>,
    ),
    Protobuf(Box<dyn BufRead>),
    /// Messages with their length before them, in four bytes, the highest first.
    FramedProtobuf(Box<dyn BufRead>),
}

impl Documents {
    pub(super) fn new(source: Source, format: Option<Format>) -> Result<Self, InputError> {
        let mut reader = source.unpacked()?;
        let start = reader.fill_buf()?;
        let start = &start[..start.len().min(SNIFF_BYTES)];
        let is_protobuf = match format {
            Some(format) => format == Format::OtlpProtobuf,
            None => !is_text(start),
        };
        let reader = if !is_protobuf {
            let left = Rc::new(Cell::new(MAX_DOCUMENT_BYTES));
            let limited = Limited(skip_byte_order_mark(reader)?, Rc::clone(&left));
            let values = serde_json::Deserializer::from_reader(limited).into_iter();
            Reader::Json(Box::new(values), left)
        } else if start.first() == Some(&0) {
            Reader::FramedProtobuf(reader)
        } else {
            Reader::Protobuf(reader)
        };
        Ok(Self {
            reader,
            format,
            number: 0,
            is_over: false,
        })
    }

    fn read(&mut self) -> Result<Option<Document>, InputError> {
        let number = self.number + 1;
        let document = match &mut self.reader {
            Reader::Json(values, left) => {
                left.set(MAX_DOCUMENT_BYTES);
                let Some(value) = values.next() else {
                    return Ok(None);
                };
                let value = value.map_err(|source| InputError::Json { number, source })?;
                let Some(format) = self.format.or_else(|| json_format(value.get())) else {
                    return Err(InputError::Unknown { number });
                };
                Document {
                    number,
                    format,
                    bytes: flattened(format, &value),
                }
            }
            Reader::Protobuf(reader) => match read_field(reader, number)? {
                Some(bytes) => Document::protobuf(number, bytes),
                None => return Ok(None),
            },
            Reader::FramedProtobuf(reader) => match read_frame(reader, number)? {
                Some(bytes) => Document::protobuf(number, bytes),
                None => return Ok(None),
            },
        };
        self.number = number;
        Ok(Some(document))
    }
}

impl Document {
    fn protobuf(number: u64, bytes: Vec<u8>) -> Self {
        Self {
            number,
            format: Format::OtlpProtobuf,
            bytes,
        }
    }
}

impl Iterator for Documents {
    type Item = Result<Document, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let document = self.read().transpose();
        self.is_over = !matches!(document, Some(Ok(_)));
        document
    }
}

/// Ends a document that would fill the memory.
struct Limited(Box<dyn BufRead>, Rc<Cell<u64>>);

impl Read for Limited {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.1.get();
        if left == 0 {
            let message = format!("it has more than {MAX_DOCUMENT_BYTES} bytes");
            return Err(io::Error::other(message));
        }
        let wanted = buf.len().min(left.try_into().unwrap_or(usize::MAX));
        let read = self.0.read(&mut buf[..wanted])?;
        self.1.set(left - read as u64);
        Ok(read)
    }
}

fn skip_byte_order_mark(mut reader: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    if reader.fill_buf()?.starts_with(MARK) {
        reader.consume(MARK.len());
    }
    Ok(reader)
}

/// Whether a file begins as JSON does. The first byte of protobuf may be a line feed too, so the rest of the start counts.
fn is_text(start: &[u8]) -> bool {
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    let is_control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    let first = start.trim_ascii_start().first();
    matches!(first, None | Some(b'{' | b'[')) && !start.iter().any(is_control)
}

/// What a JSON document is, by the names in it.
fn json_format(json: &str) -> Option<Format> {
    if json.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let Some(first) = elements.iter().find(|element| element.get() != "[]") else {
            return Some(Format::ZipkinJson);
        };
        return match first.get().as_bytes().first() {
            Some(b'[') => Some(Format::ZipkinJson),
            _ => object_format(first.get()).filter(|format| *format != Format::OtlpJson),
        };
    }
    object_format(json)
}

fn object_format(json: &str) -> Option<Format> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
    let has = |name: &str| members.contains_key(name);
    // Metrics and logs, which the collector may write into the same file, are OTLP without spans.
    let otlp = [
        "resourceSpans",
        "resource_spans",
        "resourceMetrics",
        "resourceLogs",
    ];
    if otlp.iter().any(|name| has(name)) || members.is_empty() {
        Some(Format::OtlpJson)
    } else if has("data") || has("spans") {
        Some(Format::JaegerJson)
    } else if has("traceId") && has("id") {
        Some(Format::ZipkinJson)
    } else {
        None
    }
}

/// The bytes of a document. Zipkin's API answers with a list for each trace; a list of spans is what can be read.
fn flattened(format: Format, value: &RawValue) -> Vec<u8> {
    let text = value.get();
    let elements: Vec<&RawValue> = match format {
        Format::ZipkinJson if text.starts_with('{') => vec![value],
        Format::ZipkinJson => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(lists) if lists.iter().all(|list| list.get().starts_with('[')) => lists
                .iter()
                .flat_map(|list| serde_json::from_str::<Vec<&RawValue>>(list.get()))
                .flatten()
                .collect(),
            _ => return text.as_bytes().to_vec(),
        },
        _ => return text.as_bytes().to_vec(),
    };
    let elements: Vec<&str> = elements.into_iter().map(RawValue::get).collect();
    format!("[{}]", elements.join(",")).into_bytes()
}

/// The next field of a bare `TracesData`: a `ResourceSpans`, which is a `TracesData` by itself with its tag and length.
fn read_field(reader: &mut dyn BufRead, number: u64) -> Result<Option<Vec<u8>>, InputError> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let tag = read_varint(reader, &mut bytes)?;
    if tag != 0x0a {
        let message = format!(
            "document {number} does not begin as OTLP protobuf does, nor as JSON, with {{ or ["
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
    }
    let len_bytes = read_varint(reader, &mut bytes)?;
    read_body(reader, number, len_bytes, &mut bytes)?;
    Ok(Some(bytes))
}

fn read_frame(reader: &mut dyn BufRead, number: u64) -> Result<Option<Vec<u8>>, InputError> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut len = [0; 4];
    reader.read_exact(&mut len)?;
    let mut bytes = Vec::new();
    read_body(reader, number, u32::from_be_bytes(len).into(), &mut bytes)?;
    Ok(Some(bytes))
}

fn read_body(
    reader: &mut dyn BufRead,
    number: u64,
    len_bytes: u64,
    bytes: &mut Vec<u8>,
) -> Result<(), InputError> {
    if len_bytes > MAX_DOCUMENT_BYTES {
        return Err(InputError::TooLarge { number, len_bytes });
    }
    // It grows as bytes arrive: a length that lies allocates nothing.
    let read = reader.take(len_bytes).read_to_end(bytes)? as u64;
    if read < len_bytes {
        let message = format!("document {number} ends {} bytes early", len_bytes - read);
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message).into());
    }
    Ok(())
}

/// Reads a varint and keeps its bytes.
fn read_varint(reader: &mut dyn BufRead, bytes: &mut Vec<u8>) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        bytes.push(byte[0]);
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    let message = "a number of more than 10 bytes where a length belongs";
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}
