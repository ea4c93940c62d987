//! The effective settings as a TOML file.

use std::fmt::Write;

use super::SETTINGS;
use super::check::origin;
use super::error::Origin;
use super::sources::Effective;

/// All settings, with a comment behind each value that is not the default.
pub(crate) fn print(effective: &Effective) -> String {
    let mut text = String::new();
    let mut table = None;
    for setting in SETTINGS {
        if setting.table() != table {
            table = setting.table();
            if let Some(name) = table {
                let _ = writeln!(text, "\n[{name}]");
            }
        }
        let name = setting.key.rsplit('.').next().unwrap_or(setting.key);
        let value = (setting.show)(&effective.config);
        let _ = match origin(effective, setting.key) {
            Origin::Default => writeln!(text, "{name} = {value}"),
            origin => writeln!(text, "{name} = {value} # {origin}"),
        };
    }
    effective.config.sampling.tables.print(&mut text);
    text
}
