//! Compressed bodies: which codings there are, and unpacking them within a bound.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

/// RFC 9659: a `zstd` content coding has windows of at most 8 MiB. A frame may ask for gigabytes otherwise.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// The first guess at how much larger a body becomes.
const EXPECTED_RATIO: usize = 4;
const MIN_STEP_BYTES: usize = 16 << 10;

/// How a body is compressed: the values of `Content-Encoding` (and `grpc-encoding`) that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ContentEncoding {
    /// Not at all.
    #[default]
    Identity,
    /// `gzip` or `x-gzip`.
    Gzip,
    /// `zstd`.
    Zstd,
    /// `deflate`: zlib as HTTP has it, or bare deflate as some clients send.
    Deflate,
}

/// A `Content-Encoding` that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("content encoding {value:?} is not supported: use one of gzip, zstd, deflate, identity")]
pub struct UnsupportedContentEncoding {
    /// What the header says.
    pub value: String,
}

impl ContentEncoding {
    /// Reads the value of a `Content-Encoding` header. Several codings one upon the other are not supported.
    pub fn from_header(value: &[u8]) -> Result<Self, UnsupportedContentEncoding> {
        let mut encoding = Self::Identity;
        for name in value.split(|byte| *byte == b',') {
            let next = match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Self::Gzip,
                b"zstd" => Self::Zstd,
                b"deflate" => Self::Deflate,
                _ => return Err(unsupported(value)),
            };
            if encoding != Self::Identity {
                return Err(unsupported(value));
            }
            encoding = next;
        }
        Ok(encoding)
    }
}

fn unsupported(value: &[u8]) -> UnsupportedContentEncoding {
    let value = &value[..value.len().min(100)];
    UnsupportedContentEncoding {
        value: String::from_utf8_lossy(value).into_owned(),
    }
}

/// Why a body can't be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// It is larger than allowed. How large it would have become is not known.
    #[error("body is over the limit of {limit_bytes} bytes when it is unpacked")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// It is not what its encoding says, or is cut off.
    #[error("body is not valid {encoding:?}: {detail}")]
    Corrupt {
        /// What it should be.
        encoding: ContentEncoding,
        /// What the decompressor says.
        detail: String,
    },
}

/// Unpacks a body. No more than `max_inflated_bytes` are held, and an uncompressed body is not copied.
pub fn inflate(
    encoding: ContentEncoding,
    body: Bytes,
    max_inflated_bytes: usize,
) -> Result<Bytes, InflateError> {
    let bound = Bound {
        encoding,
        max_bytes: max_inflated_bytes,
    };
    match encoding {
        ContentEncoding::Identity => {
            bound.check(body.len())?;
            Ok(body)
        }
        ContentEncoding::Gzip => bound.read(&body, MultiGzDecoder::new(&*body)),
        ContentEncoding::Zstd => bound.read(&body, zstd_decoder(&body).map_err(bound.corrupt())?),
        ContentEncoding::Deflate => match bound.deflate(&body, true) {
            Err(InflateError::Corrupt { .. }) if !is_zlib(&body) => bound.deflate(&body, false),
            inflated => inflated,
        },
    }
}

fn zstd_decoder(body: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Whether the body starts like zlib (RFC 1950): method 8, and a check value.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}

#[derive(Clone, Copy)]
struct Bound {
    encoding: ContentEncoding,
    max_bytes: usize,
}

impl Bound {
    fn check(&self, len: usize) -> Result<(), InflateError> {
        if len > self.max_bytes {
            return Err(InflateError::TooLarge {
                limit_bytes: self.max_bytes,
            });
        }
        Ok(())
    }

    fn corrupt<E: ToString>(self) -> impl Fn(E) -> InflateError {
        move |error| InflateError::Corrupt {
            encoding: self.encoding,
            detail: error.to_string(),
        }
    }

    fn buffer(&self, body: &[u8]) -> Vec<u8> {
        let guess = body.len().saturating_mul(EXPECTED_RATIO);
        Vec::with_capacity(guess.min(self.max_bytes))
    }

    fn read(&self, body: &[u8], decoder: impl Read) -> Result<Bytes, InflateError> {
        let mut inflated = self.buffer(body);
        // One byte more than allowed tells a body that is too large from one that just fits.
        let max_read = (self.max_bytes as u64).saturating_add(1);
        decoder
            .take(max_read)
            .read_to_end(&mut inflated)
            .map_err(self.corrupt())?;
        self.check(inflated.len())?;
        Ok(inflated.into())
    }

    /// `flate2`'s reader takes the end of the input for the end of the stream; this does not.
    fn deflate(&self, body: &[u8], has_zlib_header: bool) -> Result<Bytes, InflateError> {
        let corrupt = self.corrupt();
        let mut decoder = Decompress::new(has_zlib_header);
        let mut inflated = self.buffer(body);
        loop {
            let step = inflated.len().max(MIN_STEP_BYTES);
            inflated.reserve_exact(step.min(self.max_bytes.saturating_add(1) - inflated.len()));
            let before = (decoder.total_in(), inflated.len());
            let rest = &body[before.0 as usize..];
            let status = decoder
                .decompress_vec(rest, &mut inflated, FlushDecompress::None)
                .map_err(|error| corrupt(error.to_string()))?;
            self.check(inflated.len())?;
            if status == Status::StreamEnd {
                break;
            }
            if (decoder.total_in(), inflated.len()) == before {
                return Err(corrupt("it is cut off".to_owned()));
            }
        }
        match body.len() - decoder.total_in() as usize {
            0 => Ok(inflated.into()),
            more => Err(corrupt(format!("{more} bytes follow its end"))),
        }
    }
}
