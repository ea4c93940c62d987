//! The window of time that a block belongs to.

use std::fmt;
use std::str::FromStr;

const HOUR_NANO: u64 = 3_600_000_000_000;

/// Windows are by span start, an hour each. Spans that start more than an hour before they arrive, or after, go to the late window of
/// the hour in which they arrived: so the clock of a client can't create a thousand windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// Spans that started in this hour since 1970.
    Hour(u64),
    /// Spans that arrived in this hour since 1970 and started at another time.
    Late(u64),
}

impl Window {
    /// The window of a span.
    pub fn of(start_unix_nano: u64, arrived_unix_nano: u64) -> Self {
        let on_time = start_unix_nano <= arrived_unix_nano
            && arrived_unix_nano - start_unix_nano <= HOUR_NANO;
        if on_time {
            Self::Hour(start_unix_nano / HOUR_NANO)
        } else {
            Self::Late(arrived_unix_nano / HOUR_NANO)
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hour(hour) => write!(f, "h{hour}"),
            Self::Late(hour) => write!(f, "late{hour}"),
        }
    }
}

/// Text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no window: expected h or late and a number of hours")]
pub struct WindowError(String);

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let parsed = match (text.strip_prefix("late"), text.strip_prefix('h')) {
            (Some(hour), _) => hour.parse().map(Self::Late),
            (_, Some(hour)) => hour.parse().map(Self::Hour),
            _ => return Err(WindowError(text.to_owned())),
        };
        parsed.map_err(|_| WindowError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_and_early_spans_share_the_window_of_their_arrival() {
        let arrived = 490_000 * HOUR_NANO;
        assert_eq!(Window::of(arrived, arrived), Window::Hour(490_000));
        assert_eq!(
            Window::of(arrived - HOUR_NANO, arrived),
            Window::Hour(489_999)
        );
        assert_eq!(
            Window::of(arrived - HOUR_NANO - 1, arrived),
            Window::Late(490_000)
        );
        assert_eq!(Window::of(arrived + 1, arrived), Window::Late(490_000));
        assert_eq!(Window::of(0, arrived), Window::Late(490_000));
        for window in [Window::Hour(7), Window::Late(490_000)] {
            assert_eq!(window.to_string().parse(), Ok(window));
        }
        assert!("x7".parse::<Window>().is_err());
    }
}
