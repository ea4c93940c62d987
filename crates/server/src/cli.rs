//! The command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};

use crate::commands::data::DataAction;
use crate::commands::delete;
use crate::commands::export::ExportArgs;
use crate::commands::import::ImportArgs;
use crate::commands::sourcemaps::SourcemapsArgs;
use crate::commands::tokens;
use crate::config::{Config, SETTINGS, Sources};
use crate::demo;

const EXAMPLES: &str = "\
Examples:
  backtrail demo                                   a server with a small shop's traffic, to look around
  backtrail serve                                  receive OTLP, Jaeger and Zipkin, show on 16686
  backtrail serve --data-dir /var/lib/backtrail    keep spans there
  backtrail serve --jaeger-http off --web 8080     without one listener, with another moved
  backtrail delete trace 463ac35c9f6413ad          from the server that runs here, after a question
  BACKTRAIL_LOG_LEVEL=debug backtrail serve        every setting has a variable, too
  backtrail tokens create --name ci --scope upload a token for uploads, and only for them
  backtrail config print                           the settings in force and where each comes from

Settings come from, weakest first: defaults, the file (--config, BACKTRAIL_CONFIG or ./backtrail.toml),
BACKTRAIL_* variables, flags. `limits.max_body_bytes` is `max_body_bytes` under `[limits]` in the file,
BACKTRAIL_LIMITS_MAX_BODY_BYTES in the environment and --limits-max-body-bytes here.";

/// Distributed tracing in one binary: receives spans, keeps them durably, finds and shows them
#[derive(Debug, Parser)]
#[command(name = "backtrail", version, after_help = EXAMPLES, max_term_width = 120)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Run the server
    #[command(after_help = EXAMPLES)]
    Serve {
        #[command(flatten)]
        settings: SettingArgs,
    },
    /// Run the server on a temporary directory and send it a small shop's traffic
    Demo {
        #[command(flatten)]
        demo: demo::Args,
        #[command(flatten)]
        settings: SettingArgs,
    },
    /// Have a running server delete traces, or a service's spans in a range of time
    Delete(delete::Args),
    /// Show or check the settings
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Send files of spans to a running server: OTLP (JSON, protobuf), Jaeger's JSON, Zipkin's JSON
    Import(ImportArgs),
    /// Write traces of a running server as OTLP JSON, Jaeger's JSON or Zipkin's JSON
    Export(Box<ExportArgs>),
    /// Source maps: prepare, send and check a build, lead stack traces back to source
    Sourcemaps(Box<SourcemapsArgs>),
    /// Make, show and take back the tokens that a server asks for
    #[command(after_help = tokens::HELP)]
    Tokens {
        #[command(subcommand)]
        action: tokens::TokensAction,
    },
    /// Look after a data directory
    Data {
        #[command(subcommand)]
        action: DataAction,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Print the settings in force as TOML, and where each value comes from
    Print {
        #[command(flatten)]
        settings: SettingArgs,
    },
    /// Check the settings; prints everything that is wrong and fails if anything is
    Check {
        #[command(flatten)]
        settings: SettingArgs,
    },
}

/// `--config` and a flag for each setting.
#[derive(Debug)]
pub(crate) struct SettingArgs(pub(crate) Sources);

const FILE: &str = "config";

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        let defaults = Config::default();
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(
                "Settings file [env: BACKTRAIL_CONFIG] [default: ./backtrail.toml where it exists]",
            );
        let flags = SETTINGS.iter().map(|setting| {
            let default = match (setting.show)(&defaults).trim_matches('"') {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            let help = format!("{} [env: {}]{default}", setting.help, setting.variable());
            let heading = setting.table().map_or_else(
                || "Settings".to_owned(),
                |table| format!("Settings: {table}"),
            );
            let arg = Arg::new(setting.key)
                .long(setting.flag())
                .value_name(setting.value_name)
                .action(ArgAction::Set)
                .help_heading(heading)
                .help(help);
            if setting.is_switch {
                arg.num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
            } else {
                arg
            }
        });
        command.arg(file).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = SETTINGS.iter().filter_map(|setting| {
            let value = matches.get_one::<String>(setting.key)?;
            Some((setting.key, value.clone()))
        });
        Ok(Self(Sources {
            file: matches.get_one::<PathBuf>(FILE).cloned(),
            flags: flags.collect(),
        }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_switch_needs_no_value_and_any_setting_has_a_flag() {
        let cli = Cli::try_parse_from([
            "backtrail",
            "serve",
            "--allow-anonymous",
            "--web=off",
            "--limits-max-body-bytes",
            "1MiB",
        ])
        .unwrap();
        let Action::Serve { settings } = cli.action else {
            panic!("{cli:?}");
        };
        assert_eq!(
            settings.0.flags,
            [
                ("web", "off".to_owned()),
                ("allow_anonymous", "true".to_owned()),
                ("limits.max_body_bytes", "1MiB".to_owned())
            ]
        );
    }
}
