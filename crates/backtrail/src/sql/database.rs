//! A database, and statements of it.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use opentelemetry::{Key, KeyValue, StringValue, Value};

use super::dialect::Dialect;
use super::failure;
use super::sanitize::sanitize;
use super::summary::summarize;
use crate::config::Instrumentation;
use crate::system::{Scope, System};
use crate::{Exception, IntoValue, Span, SpanBuilder, SpanKind, TracedFuture, span};

/// Bytes of `db.query.summary`. Source: semantic conventions, which name 255 characters.
const MAX_SUMMARY_LEN_BYTES: usize = 255;

/// A database that a service uses, for the spans of its statements. It is cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    system: StringValue,
    dialect: Dialect,
    attributes: Vec<KeyValue>,
}

impl Database {
    /// A database by the name of its product, as the semantic conventions write it: `postgresql`, `mysql`, `mariadb`, `sqlite`,
    /// `microsoft.sql_server`, `oracle.db`, `clickhouse`; `other_sql` where there is no name. The name also says what is text and what is a name
    /// in a statement.
    pub fn new(system: impl Into<Cow<'static, str>>) -> Self {
        let system = shared(system.into());
        Self {
            dialect: Dialect::of(system.as_str()),
            attributes: vec![KeyValue::new("db.system.name", system.clone())],
            system,
        }
    }

    /// `db.namespace`: the database's name on its server, with the schema where that is how it is called.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = shared(name.into());
        self.with("db.namespace", name)
    }

    /// `server.address` and `server.port`.
    pub fn server(self, address: impl Into<Cow<'static, str>>, port: u16) -> Self {
        let address = shared(address.into());
        self.with("server.address", address)
            .with("server.port", i64::from(port))
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// A statement of this database. Nothing is done with its text before it is run, and nothing when SQL is switched off.
    pub fn statement<'t>(&'t self, text: impl Into<Cow<'t, str>>) -> Statement<'t> {
        Statement {
            database: self,
            text: text.into(),
            summary: None,
            attributes: Vec::new(),
        }
    }

    /// The span of a statement; one that is off where SQL is switched off.
    pub(super) fn span(&self, text: &str, summary: Option<&str>) -> SpanBuilder {
        if !System::current().is_some_and(|system| system.makes_spans_of(Instrumentation::Sql)) {
            return SpanBuilder::off();
        }
        let told = summarize(text, self.dialect);
        let mut attributes = Vec::with_capacity(self.attributes.len() + 4);
        attributes.extend_from_slice(&self.attributes);
        attributes.push(KeyValue::new("db.query.text", sanitize(text, self.dialect)));
        let name = summary.map(str::to_owned).or_else(|| told.text());
        let name = name.map(|mut name| {
            name.truncate(name.floor_char_boundary(MAX_SUMMARY_LEN_BYTES));
            name
        });
        if let Some(name) = &name {
            attributes.push(KeyValue::new("db.query.summary", name.clone()));
        }
        // Of several statements neither is the statement's.
        if !told.is_several {
            let target = if told.is_procedure {
                "db.stored_procedure.name"
            } else {
                "db.collection.name"
            };
            let parts = [("db.operation.name", told.operation), (target, told.target)];
            attributes.extend(
                parts
                    .into_iter()
                    .filter_map(|(key, part)| Some(KeyValue::new(key, part?))),
            );
        }
        let name = name.unwrap_or_else(|| self.system.as_str().to_owned());
        span(name)
            .kind(SpanKind::Client)
            .scope(Scope::Sql)
            .attributes(attributes)
    }
}

/// Text that is copied by its reference.
fn shared(text: Cow<'static, str>) -> StringValue {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => Arc::<str>::from(text).into(),
    }
}

/// A statement that is about to run. It may run several times; each run is a span.
#[derive(Debug, Clone)]
#[must_use = "a statement that is not run is not traced"]
pub struct Statement<'t> {
    database: &'t Database,
    text: Cow<'t, str>,
    summary: Option<Cow<'t, str>>,
    attributes: Vec<KeyValue>,
}

impl<'t> Statement<'t> {
    /// The span's name and `db.query.summary`, where the statement's operation and table do not say enough. No values: it is to be the same for
    /// all runs. The first 255 bytes count.
    pub fn summary(mut self, summary: impl Into<Cow<'t, str>>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// `db.operation.batch.size`: how many operations are sent at once. One is no batch.
    pub fn batch_size(self, operations: usize) -> Self {
        if operations == 1 {
            return self;
        }
        self.attribute("db.operation.batch.size", operations)
    }

    /// Adds an attribute, which samplers see.
    pub fn attribute(mut self, key: impl Into<Key>, value: impl IntoValue) -> Self {
        if let Some(value) = value.into_value() {
            self.attributes.push(KeyValue::new(key, value));
        }
        self
    }

    /// Runs the driver's call in a client span that starts now. `Err` is recorded as [`create_span`](crate::create_span) does, but what is
    /// quoted in its message becomes `?`: databases quote values there. `Ok` leaves the status unset.
    ///
    /// Where the driver tells the database's own code, set it as `db.response.status_code` and `error.type`.
    pub fn run<M, T, E, F, Fut>(&self, code: F) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Exception<M>,
    {
        self.span().run_recorded(code, failure::record)
    }

    /// [`Statement::run`] for a driver that is not asynchronous.
    pub fn run_sync<M, T, E>(&self, code: impl FnOnce(Span) -> Result<T, E>) -> Result<T, E>
    where
        E: Exception<M>,
    {
        let (output, span, _) = self.span().run_open(code);
        failure::record(&output, &span);
        span.end();
        output
    }

    fn span(&self) -> SpanBuilder {
        self.database
            .span(&self.text, self.summary.as_deref())
            .attributes(self.attributes.clone())
    }
}
