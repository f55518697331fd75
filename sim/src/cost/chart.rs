// SPDX-License-Identifier: GPL-2.0
//! Figures as SVG and CSV files.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::{Display, Write as _};
use std::path::Path;

/// Width and height of a figure.
const SIZE: (u32, u32) = (760, 480);

/// Colours that differ for everybody (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// One line of a figure.
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// What a figure of curves says around them.
pub struct Frame {
    /// On top.
    pub title: String,
    /// Below.
    pub x: String,
    /// At the side.
    pub y: String,
    /// Whether the y axis is logarithmic, as the x axis always is.
    pub y_scale: Scale,
    /// Vertical lines with a name.
    pub marks: Vec<(String, f64)>,
}

/// Of an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Even steps, from 0.
    Linear,
    /// Even factors.
    Logarithmic,
}

fn wrong(why: impl Display) -> String {
    format!("cannot draw: {why}")
}

/// Writes a file, or says in one line why not.
///
/// # Errors
/// The file and what is wrong with it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

/// A table as comma-separated values.
pub fn csv(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = head.join(",") + "\n";
    for row in rows {
        let _ = writeln!(text, "{}", row.join(","));
    }
    text
}

fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// The two kinds of charts are two types: one body for both.
macro_rules! draw {
    ($chart:ident, $frame:expr, $curves:expr, $y:expr) => {{
        let (frame, (low, high)) = ($frame, $y);
        $chart
            .configure_mesh()
            .x_desc(&frame.x)
            .y_desc(&frame.y)
            .x_label_formatter(&|x: &f64| number(*x))
            .y_label_formatter(&|y: &f64| number(*y))
            .light_line_style(WHITE)
            .draw()
            .map_err(wrong)?;
        for (curve, colour) in $curves.iter().zip(COLOURS.iter().cycle()) {
            let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2));
            let colour = *colour;
            $chart
                .draw_series(line.point_size(2))
                .map_err(wrong)?
                .label(&curve.name)
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2))
                });
        }
        for ((name, x), shift) in frame.marks.iter().zip(0..) {
            let style = BLACK.mix(0.6).stroke_width(1);
            let line = PathElement::new(vec![(*x, low), (*x, high)], style);
            $chart.draw_series([line]).map_err(wrong)?;
            let font = ("sans-serif", 13).into_font().color(&BLACK);
            let at = low + (high - low) * (0.06 + 0.07 * f64::from(shift));
            let name = Text::new(format!(" {name}"), (*x, at), font);
            $chart.draw_series([name]).map_err(wrong)?;
        }
        $chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .position(SeriesLabelPosition::UpperLeft)
            .draw()
            .map_err(wrong)?;
    }};
}

/// Curves over a logarithmic axis, as SVG.
///
/// # Errors
/// What the plotting library says.
pub fn curves(frame: &Frame, curves: &[Curve]) -> Result<String, String> {
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let (left, right) = range(points().map(|point| point.0));
    let (low, high) = range(points().map(|point| point.1));
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(wrong)?;
        let mut builder = ChartBuilder::on(&area);
        builder
            .caption(&frame.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(70);
        let across = (left..right * 1.0001).log_scale();
        match frame.y_scale {
            Scale::Linear => {
                let mut chart = builder
                    .build_cartesian_2d(across, 0.0..high * 1.1)
                    .map_err(wrong)?;
                draw!(chart, frame, curves, (0.0, high * 1.1));
            }
            Scale::Logarithmic => {
                let up = (low / 1.5..high * 1.5).log_scale();
                let mut chart = builder.build_cartesian_2d(across, up).map_err(wrong)?;
                draw!(chart, frame, curves, (low / 1.5, high * 1.5));
            }
        }
        area.present().map_err(wrong)?;
    }
    Ok(text)
}

/// A number as an axis shows it.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 1e6 => format!("{}M", trimmed(value / 1e6)),
        size if size >= 1e3 => format!("{}k", trimmed(value / 1e3)),
        size if size < 0.01 => format!("{value:.0e}"),
        _ => trimmed(value),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// One group of bars: its name, and a value for each series that has one.
pub type Group = (String, Vec<Option<f64>>);

/// Groups of bars, as SVG.
///
/// # Errors
/// What the plotting library says.
pub fn bars(title: &str, y: &str, series: &[&str], groups: &[Group]) -> Result<String, String> {
    let values = groups.iter().flat_map(|(_, bars)| bars.iter().flatten());
    let high = values.copied().fold(0.0, f64::max) * 1.25;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(wrong)?;
        // CAST: a number of groups.
        let right = groups.len() as f64;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..right, 0.0..high.max(1e-9))
            .map_err(wrong)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .y_desc(y)
            .y_label_formatter(&|y: &f64| number(*y))
            .light_line_style(WHITE)
            .draw()
            .map_err(wrong)?;
        // CAST: a number of series.
        let width = 0.8 / series.len() as f64;
        for ((index, name), colour) in series.iter().enumerate().zip(COLOURS) {
            let bars = groups.iter().zip(0..).filter_map(|((_, values), group)| {
                let value = (*values.get(index)?)?;
                // CAST: a number of series.
                let left = f64::from(group) + 0.1 + width * index as f64;
                let corners = [(left, 0.0), (left + width * 0.92, value)];
                Some(Rectangle::new(corners, colour.filled()))
            });
            chart
                .draw_series(bars)
                .map_err(wrong)?
                .label(*name)
                .legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled())
                });
        }
        let middle = Pos::new(HPos::Center, VPos::Top);
        for ((name, _), group) in groups.iter().zip(0..) {
            let font = ("sans-serif", 13).into_font().color(&BLACK).pos(middle);
            let at = (
                chart.backend_coord(&(f64::from(group) + 0.5, 0.0)).0,
                SIZE.1 as i32 - 34,
            );
            area.draw(&Text::new(name.clone(), at, font))
                .map_err(wrong)?;
        }
        for (group, (_, values)) in (0..).zip(groups) {
            for (index, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                let font = ("sans-serif", 11).into_font().color(&BLACK);
                let font = font.pos(Pos::new(HPos::Center, VPos::Bottom));
                // CAST: a number of series.
                let x = f64::from(group) + 0.1 + width * (index as f64 + 0.46);
                let label = Text::new(number(*value), (x, *value + high * 0.005), font);
                chart.draw_series([label]).map_err(wrong)?;
            }
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .position(SeriesLabelPosition::UpperRight)
            .draw()
            .map_err(wrong)?;
        area.present().map_err(wrong)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let shown: Vec<_> = [0.0, 0.5, 12.0, 1500.0, 2e6, 0.001].map(number).into();
        assert_eq!(shown, ["0", "0.5", "12", "1.5k", "2M", "1e-3"]);
    }

    #[test]
    fn a_figure_has_its_lines_and_names() {
        let curve = Curve {
            name: "one".into(),
            points: vec![(1.0, 2.0), (10.0, 30.0)],
        };
        for y_scale in [Scale::Linear, Scale::Logarithmic] {
            let frame = Frame {
                title: "title".into(),
                x: "nodes".into(),
                y: "ms".into(),
                y_scale,
                marks: vec![("best".into(), 3.0)],
            };
            let svg = curves(&frame, std::slice::from_ref(&curve)).unwrap();
            for part in ["<svg", "title", "nodes", "one", "best", "polyline"] {
                assert!(svg.contains(part), "{part}");
            }
        }
        let svg = bars(
            "b",
            "s",
            &["x", "y"],
            &[("g".into(), vec![Some(1.0), None])],
        )
        .unwrap();
        assert!(svg.contains("<rect") && svg.contains('g'));
    }
}
