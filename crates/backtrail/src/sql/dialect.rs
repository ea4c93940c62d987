//! What the databases do not agree about.

/// How a database writes values, names and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) double_quotes_are_text: bool,
    /// Double quotes are names where one can stand, and else text.
    pub(super) double_quotes_are_unclear: bool,
    pub(super) brackets_are_quotes: bool,
    pub(super) backslash_escapes: bool,
    /// Nobody knows whether a backslash escapes the quote after it.
    pub(super) backslash_is_unclear: bool,
    pub(super) hash_comments: bool,
    /// Nobody knows whether `#` begins a comment.
    pub(super) hash_is_unclear: bool,
    pub(super) nested_comments: bool,
    /// Two dashes are a comment only before white space.
    dashes_need_space: bool,
    pub(super) dollar_quotes: bool,
    /// `$12.50` is an amount of money, and no placeholder.
    pub(super) currency_is_number: bool,
    pub(super) q_quotes: bool,
}

impl Dialect {
    /// The dialect of a database, by its name in `db.system.name`.
    pub(super) fn of(system: &str) -> Self {
        // As the standard says; comments nest as in PostgreSQL, since a comment too long shows less than one too short.
        let standard = Self {
            double_quotes_are_text: false,
            double_quotes_are_unclear: false,
            brackets_are_quotes: false,
            backslash_escapes: false,
            backslash_is_unclear: false,
            hash_comments: false,
            hash_is_unclear: false,
            nested_comments: true,
            dashes_need_space: false,
            dollar_quotes: true,
            currency_is_number: false,
            q_quotes: false,
        };
        match system {
            "postgresql" | "cockroachdb" | "aws.redshift" | "duckdb" => standard,
            "mysql" | "mariadb" => Self {
                double_quotes_are_text: true,
                backslash_escapes: true,
                hash_comments: true,
                nested_comments: false,
                dashes_need_space: true,
                dollar_quotes: false,
                ..standard
            },
            "sqlite" => Self {
                double_quotes_are_unclear: true,
                brackets_are_quotes: true,
                nested_comments: false,
                dollar_quotes: false,
                ..standard
            },
            "microsoft.sql_server" | "mssql" => Self {
                double_quotes_are_unclear: true,
                brackets_are_quotes: true,
                dollar_quotes: false,
                currency_is_number: true,
                ..standard
            },
            "oracle.db" | "oracle" => Self {
                nested_comments: false,
                dollar_quotes: false,
                q_quotes: true,
                ..standard
            },
            "hive" | "spark" | "databricks" | "gcp.spanner" | "gcp.bigquery" => Self {
                double_quotes_are_text: true,
                backslash_escapes: true,
                hash_is_unclear: true,
                ..standard
            },
            "clickhouse" | "snowflake" => Self {
                backslash_escapes: true,
                hash_is_unclear: true,
                ..standard
            },
            _ => Self {
                double_quotes_are_unclear: true,
                backslash_is_unclear: true,
                hash_is_unclear: true,
                q_quotes: true,
                ..standard
            },
        }
    }

    /// Whether two dashes with this behind them are a comment.
    pub(super) fn starts_comment(self, after_dashes: &str) -> bool {
        !self.dashes_need_space
            || after_dashes.is_empty()
            || after_dashes.starts_with(|c: char| c.is_whitespace() || c.is_control())
    }
}
