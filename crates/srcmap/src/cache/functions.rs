//! From functions as ranges to the places where the innermost one changes.

use super::FunctionStart;

/// A position of a source: line and column, both from 0, columns in UTF-16 units.
type Position = (u32, u32);

/// The places where the innermost function changes, of functions that are nested or apart.
///
/// Each is given as where it begins, the position behind it, and its name. Sorted by begin, the outer one first where two begin together; a range that
/// reaches beyond the one that it lies in ends with it.
pub fn function_starts<'n>(
    ranges: impl IntoIterator<Item = (Position, Position, Option<&'n str>)>,
) -> Vec<FunctionStart> {
    let mut starts = Vec::new();
    let mut open: Vec<(Position, Option<&str>)> = Vec::new();
    for (begin, end, name) in ranges {
        close(&mut open, Some(begin), &mut starts);
        let end = open.last().map_or(end, |&(outer, _)| end.min(outer));
        if begin < end {
            starts.push(start(begin, name));
            open.push((end, name));
        }
    }
    close(&mut open, None, &mut starts);
    starts
}

/// Ends the functions that end at `until` or before: there the one around them goes on.
fn close(
    open: &mut Vec<(Position, Option<&str>)>,
    until: Option<Position>,
    starts: &mut Vec<FunctionStart>,
) {
    while let Some(&(end, _)) = open.last() {
        if until.is_some_and(|until| until < end) {
            return;
        }
        open.pop();
        starts.push(start(end, open.last().and_then(|&(_, name)| name)));
    }
}

fn start((line, column): Position, name: Option<&str>) -> FunctionStart {
    FunctionStart {
        line,
        column,
        name: name.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_goes_on_behind_those_in_it() {
        let ranges = [
            ((1, 0), (9, 1), Some("outer")),
            ((2, 4), (3, 5), Some("first")),
            ((3, 5), (4, 0), None),
            ((3, 7), (3, 9), Some("inner")),
            ((9, 1), (10, 0), Some("next")),
            ((20, 0), (30, 0), Some("wide")),
            // Ends with the one that it is in.
            ((25, 0), (40, 0), Some("too wide")),
            ((50, 0), (50, 0), Some("nothing")),
        ];
        let starts = function_starts(ranges);
        let name_at = |line, column| {
            let at = starts.partition_point(|start| (start.line, start.column) <= (line, column));
            starts[..at].last().and_then(|start| start.name.as_deref())
        };
        for ((line, column), name) in [
            ((0, 9), None),
            ((1, 0), Some("outer")),
            ((2, 4), Some("first")),
            ((3, 4), Some("first")),
            ((3, 5), None),
            ((3, 8), Some("inner")),
            ((3, 9), None),
            ((4, 0), Some("outer")),
            ((9, 0), Some("outer")),
            ((9, 1), Some("next")),
            ((10, 0), None),
            ((24, 0), Some("wide")),
            ((29, 9), Some("too wide")),
            ((30, 0), None),
            ((50, 0), None),
        ] {
            assert_eq!(name_at(line, column), name, "{line}:{column}");
        }
    }
}
