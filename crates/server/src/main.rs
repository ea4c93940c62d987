//! `backtrail`: receives spans, keeps them, answers searches and shows traces in a page.

mod api;
mod auth;
mod cli;
mod commands;
mod config;
mod demo;
mod grpc;
mod ingest;
mod listen;
mod logging;
mod metrics;
mod page;
mod process;
mod receivers;
mod sampling;
mod serve;
mod sourcemaps;
mod state;
mod storage;
mod uploads;
mod web;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use crate::cli::{Action, Cli, ConfigAction, SettingArgs};
use crate::config::{Effective, Environment, Loader};

/// Gives memory back and fragments less than glibc's under many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long threads that still run may keep the process from ending.
const THREADS_TIMEOUT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match run(Cli::parse().action) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("backtrail: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::Serve { settings } => {
            let loader = loader(settings);
            let config = loader.load(&host::RealFiles)?.config;
            logging::start(&config.log)?;
            block_on(serve::run(&config, loader))?;
        }
        Action::Demo { demo, settings } => {
            let config = load(settings)?.config;
            logging::start(&config.log)?;
            block_on(demo::run(demo, config))?;
        }
        Action::Delete(args) => commands::delete::run(&args)?,
        Action::Config { action } => match action {
            ConfigAction::Print { settings } => print!("{}", config::print(&load(settings)?)),
            ConfigAction::Check { settings } => {
                load(settings)?;
                println!("the settings are good");
            }
        },
        Action::Export(args) => commands::export::run(&args)?,
        Action::Import(args) => commands::import::run(&args)?,
        Action::Data { action } => commands::data::run(&action)?,
        // Its exit codes tell CI what was found.
        Action::Sourcemaps(args) => return Ok(commands::sourcemaps::run(&args)),
        Action::Tokens { action } => commands::tokens::run(action)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn load(settings: SettingArgs) -> anyhow::Result<Effective> {
    Ok(loader(settings).load(&host::RealFiles)?)
}

fn loader(settings: SettingArgs) -> Loader {
    Loader {
        environment: Environment::new(std::env::vars_os()),
        sources: settings.0,
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(THREADS_TIMEOUT);
    result
}

/// The error and its causes, each once: some say their cause themselves.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.ends_with(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(separator);
            text.push_str(&cause);
        }
    }
    text
}
