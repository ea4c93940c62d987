//! Sends requests to the server, and comes again when it says so.

use std::time::Duration;

use anyhow::{Context, bail};
use backtrail_wire::WireError;
use backtrail_wire::protobuf::Fields;
use host::Host;
use http::StatusCode;
use http::header::RETRY_AFTER;

use super::super::bearer::Bearer;
use super::report::FileReport;
use super::split::{Request, for_each_request};

/// How long one request is tried again.
const RETRY_FOR: Duration = Duration::from_mins(2);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

pub(super) struct Server {
    agent: ureq::Agent,
    bearer: Bearer,
    url: String,
    host: Host,
    /// A server that was there once is waited for; one that never was is a wrong address.
    was_there: bool,
}

/// What a server says to a request.
enum Answer {
    Taken {
        rejected: u64,
        message: String,
    },
    /// It may do so later.
    NotNow {
        why: String,
        after: Option<Duration>,
    },
    TooLarge {
        why: String,
    },
    Refused {
        why: String,
    },
}

impl Server {
    pub(super) fn new(base: &str, bearer: Bearer, host: Host) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            bearer,
            url: format!("{}/v1/traces", base.trim_end_matches('/')),
            host,
            was_there: false,
        }
    }

    /// Sends a request until it is answered. An error is one after which nothing more can be sent.
    pub(super) fn send(&mut self, request: Request, report: &mut FileReport) -> anyhow::Result<()> {
        match self.send_patiently(&request)? {
            Answer::Taken { rejected, message } => {
                let rejected = rejected.min(request.spans);
                let why = (rejected > 0 || !message.is_empty()).then_some(message);
                report.answered(request.spans - rejected, rejected, why);
                Ok(())
            }
            Answer::TooLarge { .. } if request.spans > 1 => {
                let half = request.body.len() / 2;
                for_each_request(&request.body, half, &mut |part| self.send(part, report))
            }
            Answer::TooLarge { why } | Answer::Refused { why } => {
                report.answered(0, request.spans, Some(why));
                Ok(())
            }
            Answer::NotNow { why, .. } => bail!("{why}, for {} s", RETRY_FOR.as_secs()),
        }
    }

    fn send_patiently(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let give_up = self.host.clock.monotonic() + RETRY_FOR;
        let mut wait = FIRST_WAIT;
        loop {
            let answer = match self.ask(request) {
                Ok(answer) => {
                    self.was_there = true;
                    answer
                }
                Err(error) if self.was_there => Answer::NotNow {
                    why: format!("{} does not answer: {error:#}", self.url),
                    after: None,
                },
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!(
                            "{} does not answer; is a server running there? --server names another",
                            self.url
                        )
                    });
                }
            };
            let Answer::NotNow { after, .. } = &answer else {
                return Ok(answer);
            };
            let pause = after.unwrap_or(wait).min(MAX_WAIT);
            if self.host.clock.monotonic() + pause > give_up {
                return Ok(answer);
            }
            std::thread::sleep(pause);
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    fn ask(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut response = self
            .bearer
            .add(self.agent.post(&self.url))
            .header("content-type", "application/x-protobuf")
            .send(&request.body[..])?;
        let status = response.status();
        let after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response.body_mut().read_to_vec()?;
        if status == StatusCode::OK {
            let (rejected, message) = partial_success(&body).context("the answer is no OTLP")?;
            return Ok(Answer::Taken { rejected, message });
        }
        let why = format!("{} answers {status}: {}", self.url, status_message(&body));
        Ok(match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Answer::NotNow { why, after },
            StatusCode::PAYLOAD_TOO_LARGE => Answer::TooLarge { why },
            _ => Answer::Refused { why },
        })
    }
}

/// `ExportTraceServiceResponse.partial_success`: how many spans were rejected, and why.
fn partial_success(response: &[u8]) -> Result<(u64, String), WireError> {
    let (mut rejected, mut message) = (0, String::new());
    for field in Fields::new(response) {
        let field = field?;
        if field.number != 1 {
            continue;
        }
        for field in Fields::new(field.bytes()?) {
            let field = field?;
            match field.number {
                1 => rejected = field.varint()?,
                2 => field.str()?.clone_into(&mut message),
                _ => {}
            }
        }
    }
    Ok((rejected, message))
}

/// The message of a `google.rpc.Status`, or what else a proxy between may say.
fn status_message(body: &[u8]) -> String {
    const MAX_CHARS: usize = 300;
    let message = Fields::new(body)
        .map_while(Result::ok)
        .find(|field| field.number == 2)
        .and_then(|field| field.str().ok());
    let text = match message {
        Some(message) => message.into(),
        None => String::from_utf8_lossy(body),
    };
    text.chars().take(MAX_CHARS).collect()
}
