//! Places nodes in columns so that edges run from left to right and cross little (after Sugiyama, Tagawa and Toda, "Methods for
//! Visual Understanding of Hierarchical System Structures", 1981).
//!
//! Columns are the longest ways to a node. An edge that goes beyond the next column gets a bend in each column between. Within the
//! columns, nodes and bends are ordered by the mean place of their neighbours, to and fro, and the order with the fewest crossings
//! counts. Heights then are as near to those of the neighbours as the order and the gaps allow.

/// Between two columns.
const COLUMN_GAP: f64 = 64.0;

/// Between two nodes of a column.
const ROW_GAP: f64 = 16.0;

/// What a bend takes of a column.
const BEND: f64 = 6.0;

/// How often the order goes to and fro. Pictures of a hundred nodes stop getting better before.
const SWEEPS: usize = 16;

/// Where a node is: its upper left corner, width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }
}

/// Where everything is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) nodes: Vec<Place>,
    /// The points of each edge, in pairs: a curve leads to the first of a pair, a straight line to the second. An edge from a node
    /// to itself has none.
    pub(super) edges: Vec<Vec<(f64, f64)>>,
}

/// A node, or a bend of an edge, in a column.
#[derive(Debug, Clone)]
struct Item {
    column: usize,
    width: f64,
    height: f64,
    /// Neighbours in the column before and in the one behind.
    before: Vec<usize>,
    behind: Vec<usize>,
}

/// Lays out nodes of these widths and heights, and edges between them.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let forward = without_cycles(sizes.len(), edges);
    let columns = columns(sizes.len(), &forward);
    let mut items: Vec<Item> = sizes
        .iter()
        .zip(&columns)
        .map(|((width, height), column)| Item {
            column: *column,
            width: *width,
            height: *height,
            before: Vec::new(),
            behind: Vec::new(),
        })
        .collect();
    let ways: Vec<Vec<usize>> = forward.iter().map(|(from, to)| bent(&mut items, *from, *to)).collect();
    let order = ordered(&items);
    let heights = heights(&items, &order);
    placed(sizes.len(), edges, &items, &order, &heights, &ways)
}

/// The edges so that they close no circle: those that would are turned round.
fn without_cycles(count: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for &(from, to) in edges {
        let turned = from != to && reaches(&next, to, from);
        let edge = if turned { (to, from) } else { (from, to) };
        if from != to {
            next[edge.0].push(edge.1);
        }
        forward.push(edge);
    }
    forward
}

fn reaches(next: &[Vec<usize>], from: usize, to: usize) -> bool {
    let (mut seen, mut open) = (vec![false; next.len()], vec![from]);
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(&next[at]);
        }
    }
    false
}

/// The column of each node: as far to the right as its longest way from the left makes it, and those that nothing leads to right
/// before the first that they lead to.
fn columns(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let edges: Vec<(usize, usize)> = edges.iter().copied().filter(|(from, to)| from != to).collect();
    let mut columns = vec![0; count];
    // A way has no more steps than there are nodes.
    for _ in 0..count {
        let mut moved = false;
        for &(from, to) in &edges {
            if columns[to] <= columns[from] {
                columns[to] = columns[from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    for node in 0..count {
        let led_to = edges.iter().any(|(_, to)| *to == node);
        let first = edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| columns[*to]).min();
        if let (false, Some(first)) = (led_to, first) {
            columns[node] = first - 1;
        }
    }
    columns
}

/// The items that an edge goes through, both ends included, with bends in the columns between.
fn bent(items: &mut Vec<Item>, from: usize, to: usize) -> Vec<usize> {
    let mut way = vec![from];
    if from == to {
        return way;
    }
    for column in items[from].column + 1..items[to].column {
        items.push(Item { column, width: 0.0, height: BEND, before: Vec::new(), behind: Vec::new() });
        way.push(items.len() - 1);
    }
    way.push(to);
    for pair in way.windows(2) {
        items[pair[0]].behind.push(pair[1]);
        items[pair[1]].before.push(pair[0]);
    }
    way
}

/// The items of each column from the top down.
fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.column + 1).max().unwrap_or_default();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, item) in items.iter().enumerate() {
        order[item.column].push(at);
    }
    let (mut best, mut fewest) = (order.clone(), crossings(items, &order));
    for sweep in 0..SWEEPS {
        let rightwards = sweep % 2 == 0;
        let sequence: Vec<usize> = if rightwards { (0..count).collect() } else { (0..count).rev().collect() };
        for column in sequence {
            let places = places(items.len(), &order);
            let mean = |at: &usize| {
                let item = &items[*at];
                let neighbours = if rightwards { &item.before } else { &item.behind };
                mean(neighbours.iter().map(|other| places[*other])).unwrap_or(places[*at])
            };
            let mut keyed: Vec<(f64, usize)> = order[column].iter().map(|at| (mean(at), *at)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[column] = keyed.into_iter().map(|(_, at)| at).collect();
        }
        let now = crossings(items, &order);
        if now < fewest {
            (best, fewest) = (order.clone(), now);
        }
    }
    best
}

// Places in a column are small numbers.
#[allow(clippy::cast_precision_loss)]
fn places(count: usize, order: &[Vec<usize>]) -> Vec<f64> {
    let mut places = vec![0.0; count];
    for column in order {
        for (place, at) in column.iter().enumerate() {
            // Columns of different lengths are compared by their shares.
            places[*at] = (place as f64 + 0.5) / column.len() as f64;
        }
    }
    places
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// How often edges cross between neighbouring columns.
fn crossings(items: &[Item], order: &[Vec<usize>]) -> usize {
    let places = places(items.len(), order);
    let mut count = 0;
    for column in order {
        let links: Vec<(f64, f64)> =
            column.iter().flat_map(|from| items[*from].behind.iter().map(|to| (places[*from], places[*to]))).collect();
        for (index, one) in links.iter().enumerate() {
            count += links[index + 1..].iter().filter(|two| (one.0 - two.0) * (one.1 - two.1) < 0.0).count();
        }
    }
    count
}

/// The middle of each item: near to its neighbours, in the given order, with the gaps kept.
fn heights(items: &[Item], order: &[Vec<usize>]) -> Vec<f64> {
    let mut middles = vec![0.0; items.len()];
    for column in order {
        let mut top = 0.0;
        for at in column {
            middles[*at] = top + items[*at].height / 2.0;
            top += items[*at].height + ROW_GAP;
        }
    }
    for sweep in 0..SWEEPS {
        let rightwards = sweep % 2 == 0;
        let sequence: Vec<&Vec<usize>> = if rightwards { order.iter().collect() } else { order.iter().rev().collect() };
        for column in sequence {
            let wished = column.iter().map(|at| {
                let item = &items[*at];
                let neighbours = if rightwards { &item.before } else { &item.behind };
                mean(neighbours.iter().map(|other| middles[*other])).unwrap_or(middles[*at])
            });
            let sizes: Vec<f64> = column.iter().map(|at| items[*at].height).collect();
            for (at, middle) in column.iter().zip(spread(&wished.collect::<Vec<_>>(), &sizes)) {
                middles[*at] = middle;
            }
        }
    }
    middles
}

/// The middles nearest to those wished for (in squares) that keep the order and the gaps: neighbours that would overlap move as one
/// ("pool adjacent violators").
#[allow(clippy::cast_precision_loss)]
fn spread(wished: &[f64], sizes: &[f64]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(sizes.len());
    let mut offset = 0.0;
    for (at, size) in sizes.iter().enumerate() {
        if at > 0 {
            offset += (sizes[at - 1] + size) / 2.0 + ROW_GAP;
        }
        offsets.push(offset);
    }
    // Blocks that move as one: the sum of their wishes, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wished.iter().zip(&offsets) {
        let mut block = (wish - offset, 1);
        while let Some((sum, count)) =
            blocks.last().copied().filter(|last| last.0 / last.1 as f64 > block.0 / block.1 as f64)
        {
            blocks.pop();
            block = (block.0 + sum, block.1 + count);
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / *count as f64, *count));
    starts.zip(offsets).map(|(start, offset)| start + offset).collect()
}

fn placed(
    count: usize,
    edges: &[(usize, usize)],
    items: &[Item],
    order: &[Vec<usize>],
    middles: &[f64],
    ways: &[Vec<usize>],
) -> Layout {
    let top = items.iter().zip(middles).map(|(item, middle)| middle - item.height / 2.0).fold(f64::INFINITY, f64::min);
    let mut starts = Vec::new();
    let mut x = 0.0;
    for column in order {
        let width = column.iter().map(|at| items[*at].width).fold(0.0, f64::max);
        starts.push((x, width));
        x += width + COLUMN_GAP;
    }
    let place = |at: usize| {
        let (item, (x, widest)) = (&items[at], starts[items[at].column]);
        let is_bend = at >= count;
        let width = if is_bend { widest } else { item.width };
        Place { x: x + (widest - width) / 2.0, y: middles[at] - item.height / 2.0 - top, width, height: item.height }
    };
    let nodes: Vec<Place> = (0..count).map(place).collect();
    let drawn = edges.iter().zip(ways).map(|((from, _), way)| {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (step, at) in way.iter().enumerate().filter(|_| way.len() > 1) {
            let here = place(*at);
            if step > 0 {
                points.push((here.x, here.middle()));
            }
            if step + 1 < way.len() {
                points.push((here.x + here.width, here.middle()));
            }
        }
        // One that was turned round is drawn as it was meant.
        if way.first() != Some(from) {
            points.reverse();
        }
        points
    });
    let edges = drawn.collect();
    let bottom = items.iter().enumerate().map(|(at, _)| place(at)).map(|one| one.y + one.height).fold(0.0, f64::max);
    Layout { width: (x - COLUMN_GAP).max(0.0), height: bottom, nodes, edges }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn overlap(one: &Place, two: &Place) -> bool {
        let apart = |a: f64, size: f64, b: f64| a + size <= b + 1e-6;
        !(apart(one.x, one.width, two.x)
            || apart(two.x, two.width, one.x)
            || apart(one.y, one.height, two.y)
            || apart(two.y, two.height, one.y))
    }

    #[test]
    fn edges_lead_from_left_to_right_and_lines_need_not_cross() {
        // Two chains, wired so that the order in which they come would cross twice.
        let sizes = [(100.0, 40.0); 6];
        let placed = layout(&sizes, &[(0, 3), (1, 2), (2, 5), (3, 4)]);
        let of = |at: usize| placed.nodes[at];
        assert!(of(0).x < of(3).x && of(3).x < of(4).x);
        assert!((of(0).y < of(1).y) == (of(3).y < of(2).y) && (of(3).y < of(2).y) == (of(4).y < of(5).y));
        assert!((of(0).middle() - of(3).middle()).abs() < 1e-6, "a chain is straight");
    }

    #[test]
    fn a_circle_is_drawn_all_the_same() {
        let placed = layout(&[(50.0, 20.0); 3], &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        assert_eq!(placed.edges.iter().map(Vec::is_empty).collect::<Vec<_>>(), [false, false, false, true]);
        let back = &placed.edges[2];
        assert!(back[0].0 > back[back.len() - 1].0, "it leads back: {back:?}");
        assert_eq!(layout(&[], &[]), Layout::default());
    }

    #[test]
    fn wishes_are_met_where_there_is_room() {
        assert_eq!(spread(&[0.0, 100.0], &[10.0, 10.0]), [0.0, 100.0]);
        let together = spread(&[50.0, 50.0], &[10.0, 10.0]);
        assert_eq!(together, [37.0, 63.0]);
    }

    proptest! {
        #[test]
        fn nothing_lies_on_anything_else(
            sizes in prop::collection::vec((20.0_f64..300.0, 20.0_f64..90.0), 1..24),
            pairs in prop::collection::vec((0_usize..24, 0_usize..24), 0..50),
        ) {
            let edges: Vec<_> = pairs.into_iter().filter(|(a, b)| *a < sizes.len() && *b < sizes.len()).collect();
            let placed = layout(&sizes, &edges);
            prop_assert_eq!((placed.nodes.len(), placed.edges.len()), (sizes.len(), edges.len()));
            for (at, one) in placed.nodes.iter().enumerate() {
                prop_assert!(one.x >= -1e-6 && one.y >= -1e-6);
                prop_assert!(one.x + one.width <= placed.width + 1e-6 && one.y + one.height <= placed.height + 1e-6);
                for other in &placed.nodes[at + 1..] {
                    prop_assert!(!overlap(one, other), "{:?} and {:?}", one, other);
                }
            }
            for ((from, to), points) in edges.iter().zip(&placed.edges) {
                prop_assert_eq!(points.is_empty(), from == to);
                if let (Some(first), Some(last)) = (points.first(), points.last()) {
                    let touches = |at: usize, point: &(f64, f64)| {
                        let place = placed.nodes[at];
                        let side = (place.x - point.0).abs() < 1e-6 || (place.x + place.width - point.0).abs() < 1e-6;
                        side && (place.middle() - point.1).abs() < 1e-6
                    };
                    prop_assert!(touches(*from, first) && touches(*to, last));
                }
            }
        }
    }
}
