//! What the demo says to the one who started it.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;

use super::schedule::Highlights;

/// Whether escape sequences for colours are understood and wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    On,
    Off,
}

/// The page's address as people type it.
pub(super) fn page_url(address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// Says that the hour is being made up.
pub(super) fn announce(page: &str) -> std::io::Result<()> {
    print(|paint, text| {
        let name = paint("1", "Backtrail demo");
        let page = paint("1;36", page);
        writeln!(text, "{name} at {page}: filling in the shop's past …")
    })
}

/// Says what to look at first.
pub(super) fn welcome(page: &str, spans: u64, highlights: Highlights) -> std::io::Result<()> {
    print(|paint, text| write_welcome(text, &paint, page, spans, highlights))
}

fn write_welcome(
    text: &mut String,
    paint: &impl Fn(&str, &str) -> String,
    page: &str,
    spans: u64,
    highlights: Highlights,
) -> std::fmt::Result {
    let trace = |id: u128| format!("{page}/trace/{id:032x}");
    let places = [
        (
            format!("{page}/search?limit=500"),
            "the last traces, each a point: duration over time",
        ),
        (
            trace(highlights.slow_checkout),
            "a slow checkout: the payment gateway timed out twice before it answered",
        ),
        (
            trace(highlights.failed_payment),
            "a failed payment: its exception, with the Java stack and what caused it",
        ),
        (
            trace(highlights.import),
            "an import of 10,000 spans: scroll, collapse, and find \"SetStock\"",
        ),
        (
            format!("{page}/search?service=catalog&min_duration=1s"),
            "searches that scan the whole table",
        ),
    ];
    writeln!(text, "\n{spans} spans of 8 services are there. Look at:\n")?;
    for (url, what) in places {
        writeln!(text, "  {}\n      {what}", paint("1;36", &url))?;
    }
    let end = paint("1", "Ctrl-C");
    writeln!(
        text,
        "\nThe shop stays open: new traces come in all the time. {end} ends it and removes its data.\n"
    )
}

/// Writes a text to standard output, which may be closed: a demo goes on without it.
fn print(
    write: impl FnOnce(&dyn Fn(&str, &str) -> String, &mut String) -> std::fmt::Result,
) -> std::io::Result<()> {
    let colours = colours();
    let paint = |code: &str, text: &str| painted(colours, code, text);
    let mut text = String::new();
    write(&paint, &mut text).map_err(std::io::Error::other)?;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// <https://no-color.org>: colours only on a terminal whose owner did not say no.
fn colours() -> Colours {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !refused {
        Colours::On
    } else {
        Colours::Off
    }
}

fn painted(colours: Colours, code: &str, text: &str) -> String {
    match colours {
        Colours::On => format!("\x1b[{code}m{text}\x1b[0m"),
        Colours::Off => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_a_link() {
        let highlights = Highlights {
            slow_checkout: 1,
            failed_payment: 2,
            import: 3,
        };
        let mut text = String::new();
        let plain = |code: &str, text: &str| painted(Colours::Off, code, text);
        write_welcome(&mut text, &plain, "http://localhost:1", 7, highlights).unwrap();
        for id in 1..=3 {
            assert!(text.contains(&format!("http://localhost:1/trace/{id:032x}\n")));
        }
        assert!(!text.contains('\x1b'));
        assert_eq!(painted(Colours::On, "1", "x"), "\x1b[1mx\x1b[0m");
    }

    #[test]
    fn the_page_is_named_as_people_type_it() {
        assert_eq!(
            page_url("127.0.0.1:16686".parse().unwrap()),
            "http://localhost:16686"
        );
        assert_eq!(page_url("[::1]:80".parse().unwrap()), "http://localhost:80");
        assert_eq!(
            page_url("192.0.2.1:80".parse().unwrap()),
            "http://192.0.2.1:80"
        );
    }
}
