// SPDX-License-Identifier: GPL-2.0
//! Tables in documents that are made from data: what stands between two marks is replaced.

use super::figures::Figure;
use super::scale::Point;
use std::path::Path;

const END: &str = "<!-- end -->\n";

/// By how much a prediction for a machine that was measured may be off.
pub const BOUND: f64 = 0.15;

/// The mark before the table called `name`.
fn start(name: &str) -> String {
    format!("<!-- made by scripts/figures: {name} -->\n")
}

/// `text` with `table` between the marks of `name`.
///
/// # Errors
/// The marks are not there.
pub fn replaced(text: &str, name: &str, table: &str) -> Result<String, String> {
    let start = start(name);
    let missing = || format!("no table between `{}` and `{}`", start.trim(), END.trim());
    let (before, rest) = text.split_once(&start).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{start}{table}{END}{after}"))
}

/// Writes a table into a document.
///
/// # Errors
/// One line with the file and what is wrong.
pub fn write_into(file: &Path, name: &str, table: &str) -> Result<(), String> {
    let wrong = |why: String| format!("{}: {why}", file.display());
    let text = std::fs::read_to_string(file).map_err(|why| wrong(why.to_string()))?;
    let text = replaced(&text, name, table).map_err(wrong)?;
    std::fs::write(file, text).map_err(|why| wrong(why.to_string()))
}

/// Predictions beside what was measured, and where both come from.
pub fn errors(figures: &[Figure], source: &str) -> String {
    let mut table = String::from(
        "| this machine | predicted s | measured s | error |\n| --- | ---: | ---: | ---: |\n",
    );
    let mut largest: f64 = 0.0;
    for (figure, bar) in figures
        .iter()
        .flat_map(|figure| figure.bars.iter().map(move |bar| (figure, bar)))
    {
        if let (Some(measured), Some(error)) = (bar.measured, bar.error()) {
            largest = largest.max(error.abs());
            table += &format!(
                "| {}, {} | {:.3} | {measured:.3} | {:+.1} % |\n",
                figure.short,
                bar.what,
                bar.predicted,
                100.0 * error
            );
        }
    }
    let holds = if largest <= BOUND {
        "holds"
    } else {
        "DOES NOT HOLD"
    };
    table += &format!(
        "\nMeasured: {source}. The largest error is {:.1} %; the bound of {:.0} % {holds}.\n",
        100.0 * largest,
        100.0 * BOUND
    );
    table
}

const COLUMNS: [u32; 4] = [100, 1_000, 10_000, 100_000];

/// Messages of the busiest node, and pauses, of the sizes of a table.
pub fn scale(points: &[Point]) -> String {
    let heads = |what: &str| {
        let rest = COLUMNS.map(nodes).into_iter().skip(1).collect::<Vec<_>>();
        format!("{what}: {} | {}", nodes(COLUMNS[0]), rest.join(" | "))
    };
    let mut table = format!(
        "| shape | {} | {} |\n| ---{} |\n",
        heads("busiest node"),
        heads("pause ms"),
        " | ---:".repeat(2 * COLUMNS.len())
    );
    let mut names: Vec<String> = points.iter().map(Point::name).collect();
    names.dedup();
    for name in names {
        let cells = |value: &dyn Fn(&Point) -> Option<String>| {
            COLUMNS
                .map(|nodes| {
                    let is = |point: &&Point| point.nodes == nodes && point.name() == name;
                    points.iter().find(is).and_then(value)
                })
                .map(|cell| cell.unwrap_or_else(|| "-".into()))
                .join(" | ")
        };
        let busiest = cells(&|point| super::scale::busiest(point).map(|most| format!("{most}")));
        let pause = cells(&|point| super::scale::pause(point).map(|ms| format!("{ms:.1}")));
        table += &format!("| {name} | {busiest} | {pause} |\n");
    }
    table
}

fn nodes(count: u32) -> String {
    match count {
        0..=999 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::figures::beside;
    use crate::cost::measured::Measured;
    use crate::cost::profile::Profile;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("a\n{}old\n{END}b\n", start("x"));
        let new = replaced(&text, "x", "new\n").unwrap();
        assert_eq!(new, format!("a\n{}new\n{END}b\n", start("x")));
        let why = replaced(&text, "y", "").unwrap_err();
        assert!(why.contains("scripts/figures: y"), "{why}");
    }

    #[test]
    fn the_errors_in_the_document_are_those_of_the_figures() {
        let file = root().join("docs/figures/README.md");
        let text = std::fs::read_to_string(file).unwrap();
        let measured = root().join("sim/profiles/this-machine.json");
        let measured = Measured::load(&measured).unwrap();
        let profile = Profile::parse(&measured.profile().to_toml()).unwrap();
        let table = errors(&beside(&profile, &measured).unwrap(), &profile.source);
        let made = replaced(&text, "this machine", &table).unwrap();
        assert_eq!(text, made, "run scripts/figures");
    }
}
