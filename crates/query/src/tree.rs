//! Who is whose parent.
//!
//! The rules, where the spans of a trace do not make a tree by themselves:
//!
//! - A parent id that is all zero is none.
//! - A span whose parent is not there is a root, and flagged: the trace is incomplete.
//! - Several spans may bear one id (Zipkin's client and server share a span). Their children belong to the one of the child's
//!   own service, and to the earliest where there is none. A server span is a child of the client span with the same id.
//! - A link from a span to itself is cut. Where links lead in a circle, the link of the circle's earliest span is cut. Either makes a root, and is flagged.
//! - "Earliest" is by start, then id, then content, so that it never depends on the order in which spans were stored.
//!
//! Nothing here recurses: a trace may be as deep as it has spans.

use model::SpanId;

const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;

/// What is odd about a span in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpanFlags(u8);

impl SpanFlags {
    /// The span names a parent that is not in the trace.
    pub const MISSING_PARENT: Self = Self(1);
    /// Another span has the same id.
    pub const SHARED_ID: Self = Self(2);
    /// The span has an exception event.
    pub const EXCEPTION: Self = Self(4);
    /// The span starts before its parent does.
    pub const BEFORE_PARENT: Self = Self(8);
    /// The link to the parent was cut because it led in a circle.
    pub const CUT: Self = Self(16);

    /// The flags as a bit set.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    fn set(&mut self, flags: Self) {
        self.0 |= flags.0;
    }
}

/// The parent of each row of a trace, whose rows are in depth-first order: a parent comes before its children, siblings by
/// start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    parents: Vec<Option<u32>>,
    flags: Vec<SpanFlags>,
}

impl Tree {
    /// The row of a row's parent.
    pub fn parent(&self, row: usize) -> Option<usize> {
        self.parents[row].map(|parent| parent as usize)
    }

    /// What is odd about a row.
    pub fn flags(&self, row: usize) -> SpanFlags {
        self.flags[row]
    }

    /// Whether a span names a parent that is not there.
    pub fn is_incomplete(&self) -> bool {
        self.flags
            .iter()
            .any(|flags| flags.has(SpanFlags::MISSING_PARENT))
    }

    pub(crate) fn flag(&mut self, row: usize, flags: SpanFlags) {
        self.flags[row].set(flags);
    }
}

/// What the tree needs to know of a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) span_id: SpanId,
    /// `None` also for an id that is all zero.
    pub(crate) parent: Option<SpanId>,
    pub(crate) start_unix_nano: u64,
    /// Equal for spans of one service.
    pub(crate) service: u32,
    pub(crate) kind: i32,
}

/// Links between nodes by their place in the list.
pub(crate) struct Links {
    pub(crate) parents: Vec<Option<u32>>,
    flags: Vec<SpanFlags>,
}

/// Puts the nodes, which are in the order of [`crate::unique::collapse`], into depth-first order: gives the place of each row's
/// node, and the tree of the rows.
pub(crate) fn depth_first(nodes: &[Node]) -> (Vec<u32>, Tree) {
    let Links { parents, mut flags } = link(nodes);
    for (flags, (node, parent)) in flags.iter_mut().zip(nodes.iter().zip(&parents)) {
        if parent
            .is_some_and(|parent| node.start_unix_nano < nodes[parent as usize].start_unix_nano)
        {
            flags.set(SpanFlags::BEFORE_PARENT);
        }
    }
    let order = pre_order(&parents);
    let mut row_of = vec![0u32; nodes.len()];
    for (row, node) in order.iter().enumerate() {
        row_of[*node as usize] = row as u32;
    }
    let tree = Tree {
        parents: order
            .iter()
            .map(|node| parents[*node as usize].map(|parent| row_of[parent as usize]))
            .collect(),
        flags: order.iter().map(|node| flags[*node as usize]).collect(),
    };
    (order, tree)
}

/// Finds the parent of each node; without circles.
pub(crate) fn link(nodes: &[Node]) -> Links {
    // Places by id; those of one id from the earliest to the latest.
    let mut by_id: Vec<(SpanId, u32)> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| (node.span_id, place as u32))
        .collect();
    by_id.sort_unstable();
    let with_id = |id: SpanId| {
        let from = by_id.partition_point(|(other, _)| *other < id);
        let rest = &by_id[from..];
        &rest[..rest.partition_point(|(other, _)| *other == id)]
    };

    let mut links = Links {
        parents: Vec::with_capacity(nodes.len()),
        flags: vec![SpanFlags::default(); nodes.len()],
    };
    for (node, flags) in nodes.iter().zip(&mut links.flags) {
        let sharers = with_id(node.span_id);
        if sharers.len() > 1 {
            flags.set(SpanFlags::SHARED_ID);
        }
        links
            .parents
            .push(if let Some(client) = client_half(node, sharers, nodes) {
                Some(client)
            } else {
                match node.parent {
                    None => None,
                    Some(id) if id == node.span_id => {
                        flags.set(SpanFlags::CUT);
                        None
                    }
                    Some(id) => {
                        let parent = nearest(node, with_id(id), nodes);
                        if parent.is_none() {
                            flags.set(SpanFlags::MISSING_PARENT);
                        }
                        parent
                    }
                }
            });
    }
    cut_circles(&mut links);
    links
}

/// The client span that shares the id of a server span.
fn client_half(node: &Node, sharers: &[(SpanId, u32)], nodes: &[Node]) -> Option<u32> {
    if node.kind != KIND_SERVER {
        return None;
    }
    let mut places = sharers.iter().map(|(_, place)| *place);
    places.find(|place| nodes[*place as usize].kind == KIND_CLIENT)
}

/// Of the spans with the parent's id, the one of the node's service, else the earliest.
fn nearest(node: &Node, candidates: &[(SpanId, u32)], nodes: &[Node]) -> Option<u32> {
    let mut places = candidates.iter().map(|(_, place)| *place);
    places
        .clone()
        .find(|place| nodes[*place as usize].service == node.service)
        .or_else(|| places.next())
}

fn cut_circles(links: &mut Links) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Never,
        OnThisWay,
        Before,
    }
    let mut seen = vec![Seen::Never; links.parents.len()];
    let mut way: Vec<u32> = Vec::new();
    for start in 0..links.parents.len() as u32 {
        let mut next = Some(start);
        while let Some(place) = next.filter(|place| seen[*place as usize] == Seen::Never) {
            seen[place as usize] = Seen::OnThisWay;
            way.push(place);
            next = links.parents[place as usize];
        }
        if let Some(entry) = next.filter(|place| seen[*place as usize] == Seen::OnThisWay) {
            let circle = way.iter().rev();
            let length = 1 + circle.take_while(|place| **place != entry).count();
            // Places are in the order of starts.
            if let Some(earliest) = way[way.len() - length..].iter().min() {
                links.parents[*earliest as usize] = None;
                links.flags[*earliest as usize].set(SpanFlags::CUT);
            }
        }
        for place in way.drain(..) {
            seen[place as usize] = Seen::Before;
        }
    }
}

/// Places in depth-first order, roots and siblings in the order in which they stand.
fn pre_order(parents: &[Option<u32>]) -> Vec<u32> {
    let nodes = parents.len();
    // The children of all nodes, one after another: those of node `n` are `children[first[n]..first[n + 1]]`.
    let mut first = vec![0u32; nodes + 1];
    for parent in parents.iter().flatten() {
        first[*parent as usize + 1] += 1;
    }
    for node in 0..nodes {
        first[node + 1] += first[node];
    }
    let mut next_free = first.clone();
    let mut children = vec![0u32; first[nodes] as usize];
    for (node, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            let free = &mut next_free[*parent as usize];
            children[*free as usize] = node as u32;
            *free += 1;
        }
    }

    let mut order = Vec::with_capacity(nodes);
    let mut stack: Vec<u32> = (0..nodes as u32)
        .rev()
        .filter(|node| parents[*node as usize].is_none())
        .collect();
    while let Some(node) = stack.pop() {
        order.push(node);
        let range = first[node as usize] as usize..first[node as usize + 1] as usize;
        stack.extend(children[range].iter().rev());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> SpanId {
        SpanId(number.to_be_bytes())
    }

    /// A span that starts at its place in the list; parent 0 is none.
    fn node(span: u64, parent: u64) -> Node {
        Node {
            span_id: id(span),
            parent: (parent != 0).then(|| id(parent)),
            start_unix_nano: 0,
            service: 0,
            kind: 1,
        }
    }

    fn nodes(spans: &[(u64, u64)]) -> Vec<Node> {
        let mut nodes: Vec<Node> = spans
            .iter()
            .map(|(span, parent)| node(*span, *parent))
            .collect();
        for (start, node) in nodes.iter_mut().enumerate() {
            node.start_unix_nano = start as u64;
        }
        nodes
    }

    /// The tree as lines of `id <parent's id> flags`, in depth-first order.
    fn drawn(nodes: &[Node]) -> Vec<(u64, Option<u64>, u8)> {
        let (order, tree) = depth_first(nodes);
        let number = |row: usize| u64::from_be_bytes(nodes[order[row] as usize].span_id.0);
        (0..nodes.len())
            .map(|row| {
                (
                    number(row),
                    tree.parent(row).map(number),
                    tree.flags(row).bits(),
                )
            })
            .collect()
    }

    #[test]
    fn parents_come_first_and_siblings_in_order() {
        let nodes = nodes(&[(1, 0), (5, 1), (2, 1), (4, 2), (3, 5)]);
        assert_eq!(
            drawn(&nodes),
            [
                (1, None, 0),
                (5, Some(1), 0),
                (3, Some(5), 0),
                (2, Some(1), 0),
                (4, Some(2), 0)
            ]
        );
    }

    #[test]
    fn a_span_without_its_parent_is_a_root() {
        let nodes = nodes(&[(1, 0), (2, 9), (3, 2)]);
        assert_eq!(drawn(&nodes), [(1, None, 0), (2, None, 1), (3, Some(2), 0)]);
        assert!(depth_first(&nodes).1.is_incomplete());
    }

    #[test]
    fn a_span_that_is_its_own_parent_is_a_root() {
        let nodes = nodes(&[(1, 1), (2, 1)]);
        assert_eq!(drawn(&nodes), [(1, None, 16), (2, Some(1), 0)]);
        assert!(!depth_first(&nodes).1.is_incomplete());
    }

    #[test]
    fn a_circle_is_cut_at_its_earliest_span() {
        // 7 hangs on the circle 1 > 2 > 3 > 1 and is earlier than all of it, but not in it.
        let nodes = nodes(&[(7, 3), (2, 1), (3, 2), (1, 3)]);
        assert_eq!(
            drawn(&nodes),
            [
                (2, None, 16),
                (3, Some(2), 0),
                (7, Some(3), 8),
                (1, Some(3), 0)
            ]
        );
    }

    #[test]
    fn two_circles_are_cut_apart() {
        let nodes = nodes(&[(1, 2), (2, 1), (3, 4), (4, 3), (5, 4)]);
        assert_eq!(
            drawn(&nodes),
            [
                (1, None, 16),
                (2, Some(1), 0),
                (3, None, 16),
                (4, Some(3), 0),
                (5, Some(4), 0)
            ]
        );
    }

    #[test]
    fn a_child_of_a_shared_id_belongs_to_its_service() {
        let mut nodes = nodes(&[(1, 0), (5, 1), (5, 1), (6, 5), (7, 5), (8, 5)]);
        (nodes[1].service, nodes[1].kind) = (1, KIND_CLIENT);
        (nodes[2].service, nodes[2].kind) = (2, KIND_SERVER);
        nodes[3].service = 2;
        nodes[4].service = 1;
        nodes[5].service = 3;
        let (order, tree) = depth_first(&nodes);
        let parent_of = |node: u32| {
            let row = order.iter().position(|other| *other == node).unwrap();
            tree.parent(row).map(|parent| order[parent])
        };
        assert_eq!(parent_of(1), Some(0));
        assert_eq!(
            parent_of(2),
            Some(1),
            "the server's half is the client's child"
        );
        assert_eq!(
            parent_of(3),
            Some(2),
            "of the same service as the server's half"
        );
        assert_eq!(
            parent_of(4),
            Some(1),
            "of the same service as the client's half"
        );
        assert_eq!(parent_of(5), Some(1), "of neither: the earliest");
        let shared = (0..6).filter(|row| tree.flags(*row).has(SpanFlags::SHARED_ID));
        assert_eq!(shared.count(), 2);
    }

    #[test]
    fn a_child_that_starts_before_its_parent_is_flagged() {
        assert_eq!(
            drawn(&nodes(&[(2, 1), (1, 0)])),
            [(1, None, 0), (2, Some(1), 8)]
        );
    }

    #[test]
    fn a_trace_may_be_as_deep_as_it_has_spans() {
        let chain: Vec<(u64, u64)> = (1..=100_000).map(|span| (span, span - 1)).collect();
        let (order, tree) = depth_first(&nodes(&chain));
        assert!(
            order
                .iter()
                .enumerate()
                .all(|(row, node)| row as u32 == *node)
        );
        assert!((1..chain.len()).all(|row| tree.parent(row) == Some(row - 1)));

        let mut circle = chain;
        circle[0].1 = 100_000;
        let (_, tree) = depth_first(&nodes(&circle));
        assert_eq!(tree.flags(0), SpanFlags::CUT);
    }
}
