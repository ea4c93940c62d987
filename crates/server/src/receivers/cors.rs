//! What pages of other origins may do: send spans, and nothing else.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config::Origins;

/// How long a browser may remember what a preflight allowed.
const PREFLIGHT_AGE: Duration = Duration::from_hours(2);

/// Lets pages of these origins send spans, without credentials. What they ask for with other methods they can't read.
pub(super) fn cors(origins: &Origins) -> Option<CorsLayer> {
    let listed: Option<Vec<HeaderValue>> = match origins {
        Origins::Off => return None,
        // Not `*`: `navigator.sendBeacon`, which web exporters use, sends credentials, and a browser refuses `*` for those.
        Origins::Any => None,
        Origins::List(list) => Some(
            list.iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        ),
    };
    let origins = AllowOrigin::predicate(move |origin, request| {
        let is_known = listed.as_ref().is_none_or(|list| list.contains(origin));
        is_known && matches!(request.method, Method::POST | Method::OPTIONS)
    });
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        // Exporters are configured with headers of all kinds; none of them can do harm here.
        .allow_headers(AllowHeaders::mirror_request())
        // No cookie opens anything here: where spans are sent, only a token in a header counts.
        .allow_credentials(true)
        .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE])
        .max_age(PREFLIGHT_AGE);
    Some(layer)
}

/// Whether the request comes from a page that may send, or from no page at all.
pub(super) fn may_send(origins: &Origins, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    match origins {
        Origins::Off => false,
        Origins::Any => true,
        Origins::List(list) => list.iter().any(|listed| listed.as_bytes() == origin),
    }
}
