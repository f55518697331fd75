// SPDX-License-Identifier: GPL-2.0
//! A run as a message sequence chart: a line of life for each node, an arrow for each message.

use super::record::{Fact, Record};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Most messages of a chart: nobody reads a longer one.
pub const MESSAGES_MAX: usize = 400;

const COLUMN: usize = 170;
const ROW: usize = 22;
const HEAD: usize = 56;
const LEFT: usize = 110;

/// What stands at one height of the chart.
struct Row<'a> {
    at: u64,
    from: u32,
    to: Option<u32>,
    text: &'a str,
}

/// The chart of the messages among `records`, and of what users and faults did, as SVG.
///
/// # Errors
/// No message, or more than [`MESSAGES_MAX`].
pub fn chart(records: &[Record]) -> Result<String, String> {
    let rows: Vec<Row<'_>> = records.iter().filter_map(row).collect();
    let messages = rows.iter().filter(|row| row.to.is_some()).count();
    if messages == 0 || messages > MESSAGES_MAX {
        return Err(format!(
            "{messages} messages: a chart takes 1 to {MESSAGES_MAX}; choose by --node, --protocol \
             or --op"
        ));
    }
    let ends = rows
        .iter()
        .flat_map(|row| [Some(row.from), row.to])
        .flatten();
    let nodes: Vec<u32> = ends.collect::<BTreeSet<u32>>().into_iter().collect();
    let column = |node: u32| {
        let index = nodes.iter().position(|other| *other == node).unwrap_or(0);
        LEFT + index * COLUMN
    };
    let width = LEFT + nodes.len() * COLUMN;
    let height = HEAD + (rows.len() + 1) * ROW;
    let mut svg = head(width, height);
    for node in &nodes {
        let x = column(*node);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">node {node}\
             </text>\n\
             <line x1=\"{x}\" y1=\"{HEAD}\" x2=\"{x}\" y2=\"{height}\" stroke=\"#999\"/>",
            HEAD - 12
        );
    }
    for (row, index) in rows.iter().zip(1..) {
        let y = HEAD + index * ROW;
        let (ms, us) = (row.at / 1_000_000, row.at / 1_000 % 1_000);
        let _ = writeln!(
            svg,
            "<text x=\"6\" y=\"{}\" fill=\"#666\">{ms}.{us:03}</text>",
            y + 4
        );
        let text = escaped(row.text);
        match row.to {
            Some(to) => arrow(&mut svg, (column(row.from), column(to), y), &text),
            None => {
                let x = column(row.from);
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\"/>\n\
                     <text x=\"{}\" y=\"{}\" font-style=\"italic\">{text}</text>",
                    x + 8,
                    y + 4
                );
            }
        }
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn row(record: &Record) -> Option<Row<'_>> {
    let (to, text) = match &record.fact {
        Fact::Message { to, name, .. } => (Some(*to), name),
        Fact::Text(text) => (None, text),
        Fact::Step { .. } => return None,
    };
    Some(Row {
        at: record.at,
        from: record.node,
        to,
        text,
    })
}

fn head(width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <defs><marker id=\"head\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" \
         orient=\"auto\"><path d=\"M0,0 L9,4 L0,8 Z\" fill=\"#0072b2\"/></marker></defs>\n\
         <text x=\"6\" y=\"{}\" fill=\"#666\">ms</text>\n",
        HEAD - 12
    )
}

/// An arrow with its name above the middle.
fn arrow(svg: &mut String, (from, to, y): (usize, usize, usize), text: &str) {
    let middle = usize::midpoint(from, to);
    let _ = writeln!(
        svg,
        "<line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\" stroke=\"#0072b2\" \
         marker-end=\"url(#head)\"/>\n\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
        y - 4
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::record::tests::sample;

    #[test]
    fn an_arrow_for_each_message() {
        let mut records = sample();
        records.push(Record {
            fact: Fact::Text("call a<b".into()),
            ..records[0].clone()
        });
        let svg = chart(&records).unwrap();
        assert_eq!(svg.matches("marker-end").count(), 1);
        for part in ["node 1", "node 2", ">SaveSend<", "1.500", "call a&lt;b"] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn none_and_too_many_are_refused() {
        assert!(chart(&sample()[1..]).unwrap_err().starts_with("0 messages"));
        let many = vec![sample()[0].clone(); MESSAGES_MAX + 1];
        assert!(chart(&many).unwrap_err().contains("takes 1 to 400"));
    }
}
