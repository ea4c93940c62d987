//! What a span must be like, and which rows of a scan are.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;
use model::{AttributeScope, AttributeValue, RowSet, Scan, ScanError};

use crate::columns;
use crate::lone_events::LoneEvents;
use crate::rows::{difference, union};

/// A condition on one span.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The service's name, exactly.
    Service(String),
    /// The span's name, exactly.
    Name(String),
    /// OTLP's number of the kind.
    Kind(i32),
    /// OTLP's number of the status; a span without status is 0, unset.
    Status(i32),
    /// From start to end, in nanoseconds.
    DurationNano(RangeInclusive<u64>),
    /// An attribute has a value for which the test holds.
    Attribute {
        /// Where it stands; anywhere when it is `None`.
        scope: Option<AttributeScope>,
        /// Its key.
        key: String,
        /// What its value must be.
        test: AttributeTest,
    },
    /// The span has an event of this name.
    EventName(String),
    /// At least one of these holds.
    AnyOf(Vec<Condition>),
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`: the attribute is there with another value.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// The attribute is there, whatever its value.
    Exists,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A string, number or boolean that is written so.
    Written(String),
    /// This string.
    Quoted(String),
}

/// A test of an attribute's value. An array passes when one of its elements does, for `!=` when none is equal.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeTest {
    operator: Operator,
    text: String,
    number: Option<Number>,
    boolean: Option<bool>,
}

/// An order comparison with something else than a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a number, and only numbers have an order")]
pub struct NotANumber(pub String);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Int(i64),
    Double(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        // `f64::from_str` also takes words such as "infinity", which are strings here.
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let int = text.parse().map(Self::Int);
        int.or_else(|_| text.parse().map(Self::Double)).ok()
    }

    fn of(value: AttributeValue<'_>) -> Option<Self> {
        match value {
            AttributeValue::Int(value) => Some(Self::Int(value)),
            AttributeValue::Double(value) => Some(Self::Double(value)),
            _ => None,
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        let double = |number| match number {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        };
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (left, right) => double(left).partial_cmp(&double(right)),
        }
    }
}

impl AttributeTest {
    /// A test; order comparisons need a number.
    pub fn new(operator: Operator, operand: Operand) -> Result<Self, NotANumber> {
        let (text, number, boolean) = match operand {
            Operand::Quoted(text) => (text, None, None),
            Operand::Written(text) => {
                let number = Number::parse(&text);
                let boolean = text.parse().ok();
                (text, number, boolean)
            }
        };
        let needs_number = !matches!(
            operator,
            Operator::Equal | Operator::NotEqual | Operator::Exists
        );
        if needs_number && number.is_none() {
            return Err(NotANumber(text));
        }
        Ok(Self {
            operator,
            text,
            number,
            boolean,
        })
    }

    /// Holds for any value.
    pub fn exists() -> Self {
        Self {
            operator: Operator::Exists,
            text: String::new(),
            number: None,
            boolean: None,
        }
    }

    /// Whether a value passes.
    pub fn holds(&self, value: AttributeValue<'_>) -> bool {
        match self.operator {
            Operator::Equal => self.equals(value),
            Operator::NotEqual => !self.equals(value),
            Operator::Less => self.has_order(value, Ordering::is_lt),
            Operator::LessOrEqual => self.has_order(value, Ordering::is_le),
            Operator::Greater => self.has_order(value, Ordering::is_gt),
            Operator::GreaterOrEqual => self.has_order(value, Ordering::is_ge),
            Operator::Exists => true,
        }
    }

    fn equals(&self, value: AttributeValue<'_>) -> bool {
        match value {
            AttributeValue::String(value) => value == self.text,
            AttributeValue::Bool(value) => self.boolean == Some(value),
            AttributeValue::Int(_) | AttributeValue::Double(_) => {
                self.has_order(value, Ordering::is_eq)
            }
            AttributeValue::Array(values) => values
                .iter()
                .map_while(Result::ok)
                .any(|value| self.equals(value)),
            AttributeValue::Map(_) | AttributeValue::Bytes(_) | AttributeValue::Empty => false,
        }
    }

    fn has_order(&self, value: AttributeValue<'_>, holds: fn(Ordering) -> bool) -> bool {
        if let AttributeValue::Array(values) = value {
            let mut values = values.iter().map_while(Result::ok);
            return values.any(|value| self.has_order(value, holds));
        }
        Number::of(value)
            .zip(self.number)
            .and_then(|(value, number)| value.compare(number))
            .is_some_and(holds)
    }
}

const SCOPES: [AttributeScope; 4] = [
    AttributeScope::Span,
    AttributeScope::Resource,
    AttributeScope::Event,
    AttributeScope::Instrumentation,
];

pub(crate) fn scopes(scope: Option<&AttributeScope>) -> &[AttributeScope] {
    scope.map_or(&SCOPES, std::slice::from_ref)
}

impl Condition {
    /// What a row costs, relative to others: the cheap ones go first, so that the others have less to read.
    fn cost(&self) -> u32 {
        match self {
            Self::Kind(_) | Self::Status(_) => 1,
            Self::Service(_) => 2,
            Self::DurationNano(_) => 4,
            Self::Name(_) => 8,
            Self::EventName(_) => 64,
            Self::Attribute { scope, .. } => 64 * scopes(scope.as_ref()).len() as u32,
            Self::AnyOf(conditions) => conditions.iter().map(Self::cost).sum(),
        }
    }

    /// `false` proves that no row of the scan passes.
    fn may_hold(&self, scan: &dyn Scan, lone_events: &LoneEvents<'_>) -> bool {
        match self {
            Self::Attribute { scope, key, test } => {
                let mut scopes = scopes(scope.as_ref()).iter();
                scopes.any(|scope| scan.may_have_attribute(*scope, key))
                    || lone_events
                        .of(key, test)
                        .is_some_and(|matches| matches.may_be_in(scan))
            }
            Self::AnyOf(conditions) => conditions
                .iter()
                .any(|condition| condition.may_hold(scan, lone_events)),
            _ => true,
        }
    }

    fn filter(
        &self,
        scan: &dyn Scan,
        lone_events: &LoneEvents<'_>,
        rows: &RowSet,
    ) -> Result<RowSet, ScanError> {
        let mask = match self {
            Self::Service(name) => {
                let services = columns::services(scan, rows)?;
                let (keys, values) = (services.keys(), services.values());
                let is_equal: Vec<bool> = (0..values.len())
                    .map(|value| values.value(value) == name)
                    .collect();
                let keys = keys.values();
                BooleanBuffer::collect_bool(keys.len(), |row| is_equal[keys[row] as usize])
            }
            Self::Name(name) => {
                let names = columns::names(scan, rows)?;
                BooleanBuffer::collect_bool(names.len(), |row| names.value(row) == name)
            }
            Self::Kind(kind) => {
                let kinds = columns::kinds(scan, rows)?;
                BooleanBuffer::collect_bool(kinds.len(), |row| kinds.value(row) == *kind)
            }
            Self::Status(code) => {
                let codes = columns::status_codes(scan, rows)?;
                BooleanBuffer::collect_bool(codes.len(), |row| {
                    (if codes.is_valid(row) {
                        codes.value(row)
                    } else {
                        0
                    }) == *code
                })
            }
            Self::DurationNano(range) => {
                let (starts, ends) = (columns::starts(scan, rows)?, columns::ends(scan, rows)?);
                BooleanBuffer::collect_bool(starts.len(), |row| {
                    range.contains(&ends.value(row).saturating_sub(starts.value(row)))
                })
            }
            Self::Attribute { scope, key, test } => {
                let scopes = scopes(scope.as_ref());
                let passed = first_of(rows, scopes, |scope, rows| {
                    if scan.may_have_attribute(*scope, key) {
                        scan.filter_attribute(*scope, key, rows, &|value| test.holds(value))
                    } else {
                        Ok(RowSet::default())
                    }
                })?;
                // The same test may stand beside this one for events too.
                let lone = lone_events
                    .of(key, test)
                    .filter(|_| scopes.contains(&AttributeScope::Event));
                return match lone {
                    Some(lone) => {
                        let left = difference(rows, &passed);
                        Ok(union(&passed, &lone.filter(scan, &left)?))
                    }
                    None => Ok(passed),
                };
            }
            Self::EventName(name) => return scan.filter_event_name(name, rows),
            Self::AnyOf(conditions) => {
                return first_of(rows, conditions, |condition, rows| {
                    condition.filter(scan, lone_events, rows)
                });
            }
        };
        Ok(rows.filter(&mask))
    }
}

/// The rows that pass one of several filters; a row that passed one is not tried again.
fn first_of<F>(
    rows: &RowSet,
    filters: &[F],
    mut filter: impl FnMut(&F, &RowSet) -> Result<RowSet, ScanError>,
) -> Result<RowSet, ScanError> {
    let mut passed = RowSet::default();
    let mut left = rows.clone();
    for one in filters {
        if left.is_empty() {
            break;
        }
        let now = filter(one, &left)?;
        left = difference(&left, &now);
        passed = union(&passed, &now);
    }
    Ok(passed)
}

/// Conditions that must all hold on one span, in the order in which they are tried.
pub(crate) struct Plan<'a> {
    conditions: Vec<&'a Condition>,
    starts: RangeInclusive<u64>,
    lone_events: LoneEvents<'a>,
}

impl<'a> Plan<'a> {
    /// `starts` bounds the span's start.
    pub(crate) fn new(
        conditions: &'a [Condition],
        starts: RangeInclusive<u64>,
        lone_events: LoneEvents<'a>,
    ) -> Self {
        let mut conditions: Vec<&Condition> = conditions.iter().collect();
        conditions.sort_by_key(|condition| condition.cost());
        Self {
            conditions,
            starts,
            lone_events,
        }
    }

    /// Whether there may be spans that pass and that the plan does not know of.
    pub(crate) fn is_truncated(&self) -> bool {
        self.lone_events.truncated
    }

    pub(crate) fn starts(&self) -> &RangeInclusive<u64> {
        &self.starts
    }

    /// `false` proves that no row of the scan passes.
    pub(crate) fn may_hold(&self, scan: &dyn Scan) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.may_hold(scan, &self.lone_events))
    }

    /// Those of `rows` that pass. Each condition reads its columns only for the rows that passed those before.
    pub(crate) fn filter(&self, scan: &dyn Scan, rows: &RowSet) -> Result<RowSet, ScanError> {
        let rows = started_in(scan, rows, &self.starts)?;
        self.conditions.iter().try_fold(rows, |rows, condition| {
            if rows.is_empty() {
                Ok(rows)
            } else {
                condition.filter(scan, &self.lone_events, &rows)
            }
        })
    }
}

/// Those of `rows` whose span started in a range.
pub(crate) fn started_in(
    scan: &dyn Scan,
    rows: &RowSet,
    range: &RangeInclusive<u64>,
) -> Result<RowSet, ScanError> {
    if rows.is_empty() || *range == (0..=u64::MAX) {
        return Ok(rows.clone());
    }
    let starts = columns::starts(scan, rows)?;
    let starts = starts.values();
    Ok(
        rows.filter(&BooleanBuffer::collect_bool(starts.len(), |row| {
            range.contains(&starts[row])
        })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: Operator, text: &str, value: AttributeValue<'_>) -> bool {
        let operand = match text.strip_prefix('"') {
            Some(rest) => Operand::Quoted(rest.trim_end_matches('"').to_owned()),
            None => Operand::Written(text.to_owned()),
        };
        AttributeTest::new(operator, operand).unwrap().holds(value)
    }

    #[test]
    fn a_written_value_matches_whatever_is_written_so() {
        use AttributeValue::{Bool, Bytes, Double, Empty, Int, String};
        let equal = |text, value| holds(Operator::Equal, text, value);
        assert!(equal("200", Int(200)));
        assert!(equal("200", Double(200.0)));
        assert!(equal("200", String("200")));
        assert!(!equal("200", String("200.0")));
        assert!(equal("2e2", Int(200)));
        assert!(equal("-0.5", Double(-0.5)));
        assert!(equal("true", Bool(true)));
        assert!(equal("true", String("true")));
        assert!(!equal("true", Bool(false)));
        assert!(!equal("1", Bool(true)));
        assert!(equal("NaN", String("NaN")));
        assert!(!equal("inf", Double(f64::INFINITY)));
        assert!(!equal("", Empty));
        assert!(!equal("a", Bytes(b"a")));
    }

    #[test]
    fn a_quoted_value_matches_strings_only() {
        use AttributeValue::{Bool, Int, String};
        let equal = |text, value| holds(Operator::Equal, text, value);
        assert!(equal("\"200\"", String("200")));
        assert!(!equal("\"200\"", Int(200)));
        assert!(!equal("\"true\"", Bool(true)));
    }

    #[test]
    fn numbers_have_an_order_and_strings_have_none() {
        use AttributeValue::{Double, Int, String};
        assert!(holds(Operator::GreaterOrEqual, "500", Int(500)));
        assert!(!holds(Operator::Greater, "500", Int(500)));
        assert!(holds(Operator::Less, "0.5", Double(0.25)));
        assert!(holds(
            Operator::LessOrEqual,
            "9223372036854775807",
            Int(i64::MAX)
        ));
        assert!(!holds(Operator::Less, "9223372036854775807", Int(i64::MAX)));
        assert!(!holds(Operator::Greater, "1", Double(f64::NAN)));
        assert!(!holds(Operator::Greater, "1", String("2")));
        let test = AttributeTest::new(Operator::Less, Operand::Written("abc".to_owned()));
        assert_eq!(
            test.unwrap_err().to_string(),
            "\"abc\" is not a number, and only numbers have an order"
        );
    }

    #[test]
    fn another_value_may_be_of_any_type() {
        use AttributeValue::{Empty, Int, String};
        let differs = |text, value| holds(Operator::NotEqual, text, value);
        assert!(differs("200", Int(201)));
        assert!(differs("200", String("ok")));
        assert!(differs("200", Empty));
        assert!(!differs("200", Int(200)));
    }

    #[test]
    fn an_array_passes_by_its_elements() {
        let mut list = Vec::new();
        for number in [1, 500] {
            backtrail_wire::protobuf::put_message(&mut list, 1, |out| {
                backtrail_wire::otlp::put_any_value(out, AttributeValue::Int(number));
            });
        }
        let array = AttributeValue::Array(backtrail_wire::otlp::ArrayValue::new(&list));
        assert!(holds(Operator::Equal, "500", array));
        assert!(holds(Operator::Less, "2", array));
        assert!(!holds(Operator::NotEqual, "500", array));
        assert!(holds(Operator::NotEqual, "2", array));
    }
}
