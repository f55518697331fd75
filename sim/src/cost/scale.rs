// SPDX-License-Identifier: GPL-2.0
//! One checkpoint and one restart of larger and larger applications, flat and hierarchical.

use super::chart::{csv, curves, Curve, Frame, Scale};
use super::coordination::{self, Outcome};
use super::profile::{Profile, Store};
use super::recovery;
use super::shape::{Application, Shape, SHAPES};
use ssi_core::limits::FANOUT_MAX;

/// Numbers of nodes. 254 is as many as kernels can be.
pub const SIZES: [u32; 9] = [10, 30, 100, 254, 1_000, 3_000, 10_000, 30_000, 100_000];

/// Where a flat fan-out ends: beyond, the state of one coordinator is too large even for here.
pub const FLAT_MAX: u32 = 3_000;

/// Processes on each node.
pub const PROCESSES: u32 = 16;

/// How the coordinators are arranged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fanout {
    /// The first one coordinates all whom it finds.
    Flat,
    /// Each coordinates at most [`FANOUT_MAX`] others.
    Hierarchical,
}

/// What one size gave.
pub struct Point {
    /// Of the application.
    pub shape: Shape,
    /// Of the coordinators.
    pub fanout: Fanout,
    /// Nodes.
    pub nodes: u32,
    /// The checkpoint.
    pub checkpoint: Outcome,
    /// The restart, up to as many nodes as there can be in one.
    pub restart: Option<recovery::Outcome>,
}

fn application(shape: Shape, nodes: u32, memory: u64) -> Application {
    Application {
        nodes,
        processes: PROCESSES,
        memory,
        shape,
    }
}

/// One size.
///
/// # Errors
/// Why the restart could not be run.
pub fn point(
    profile: &Profile,
    application: Application,
    fanout: Fanout,
    store: Store,
) -> Result<Point, String> {
    let nodes = application.nodes;
    let checkpoint = match (fanout, nodes) {
        (Fanout::Hierarchical, _) => {
            coordination::checkpoint::<FANOUT_MAX>(profile, application, store, 1)
        }
        (Fanout::Flat, 0..=100) => coordination::checkpoint::<100>(profile, application, store, 1),
        (Fanout::Flat, 101..=1_000) => {
            coordination::checkpoint::<1_000>(profile, application, store, 1)
        }
        (Fanout::Flat, _) => coordination::checkpoint::<3_000>(profile, application, store, 1),
    };
    let restart = (nodes <= recovery::NODES_MAX)
        .then(|| recovery::restart(profile, application, store, nodes))
        .transpose()?;
    Ok(Point {
        shape: application.shape,
        fanout,
        nodes,
        checkpoint,
        restart,
    })
}

/// All sizes up to `nodes_max`: every shape with a hierarchy, and the farm flat too.
///
/// # Errors
/// Why a restart could not be run.
pub fn run(
    profile: &Profile,
    (memory, store): (u64, Store),
    nodes_max: u32,
    say: &dyn Fn(&Point),
) -> Result<Vec<Point>, String> {
    let hierarchical = SHAPES.map(|shape| (shape, Fanout::Hierarchical));
    let mut points = Vec::new();
    for (shape, fanout) in hierarchical
        .into_iter()
        .chain([(Shape::Farm, Fanout::Flat)])
    {
        let end = match fanout {
            Fanout::Flat => nodes_max.min(FLAT_MAX),
            Fanout::Hierarchical => nodes_max,
        };
        for nodes in SIZES.into_iter().filter(|nodes| *nodes <= end) {
            let point = point(profile, application(shape, nodes, memory), fanout, store)?;
            say(&point);
            points.push(point);
        }
    }
    Ok(points)
}

impl Point {
    /// Shape and arrangement in a few words.
    pub fn name(&self) -> String {
        let arranged = match self.fanout {
            Fanout::Flat => "flat",
            Fanout::Hierarchical => "hierarchical",
        };
        format!("{}, {arranged}", self.shape.name())
    }

    fn row(&self) -> Vec<String> {
        let Outcome {
            result,
            search,
            pause,
            node_pause_max,
            total,
            messages,
            busiest,
            ..
        } = &self.checkpoint;
        let ms = |ns: u64| format!("{:.3}", ms(ns));
        let (restart, most) = self
            .restart
            .map_or((String::new(), String::new()), |restart| {
                (ms(restart.total), restart.busiest.to_string())
            });
        let ended = result.map_or_else(|why| format!("{:?}", why.code), |_| "committed".into());
        vec![
            self.name().replace(", ", " "),
            self.nodes.to_string(),
            ended,
            ms(*search),
            ms(*pause),
            ms(*node_pause_max),
            ms(*total),
            messages.to_string(),
            busiest.to_string(),
            restart,
            most,
        ]
    }
}

fn ms(ns: u64) -> f64 {
    // CAST: far below 2^53.
    ns as f64 / 1e6
}

/// All points as comma-separated values.
pub fn table(points: &[Point]) -> String {
    let head = [
        "application",
        "nodes",
        "ended",
        "search_ms",
        "pause_ms",
        "node_pause_max_ms",
        "total_ms",
        "messages",
        "busiest_node_messages",
        "restart_ms",
        "restart_busiest_node_messages",
    ];
    let rows: Vec<_> = points.iter().map(Point::row).collect();
    csv(&head, &rows)
}

/// A figure of one value over the number of nodes. A checkpoint that failed has none.
///
/// # Errors
/// What the plotting library says.
pub fn figure(
    points: &[Point],
    (title, y): (&str, &str),
    value: impl Fn(&Point) -> Option<f64>,
) -> Result<String, String> {
    let mut lines: Vec<Curve> = Vec::new();
    for point in points {
        let Some(value) = value(point) else { continue };
        let at = (f64::from(point.nodes), value);
        let name = point.name();
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(at),
            None => lines.push(Curve {
                name,
                points: vec![at],
            }),
        }
    }
    let frame = Frame {
        title: title.into(),
        x: "nodes".into(),
        y: y.into(),
        y_scale: Scale::Logarithmic,
        marks: Vec::new(),
    };
    curves(&frame, &lines)
}

/// The pause of a checkpoint that was committed, milliseconds.
pub fn pause(point: &Point) -> Option<f64> {
    point
        .checkpoint
        .result
        .ok()
        .map(|_| ms(point.checkpoint.pause))
}

/// The messages of the busiest node in a checkpoint that was committed.
pub fn busiest(point: &Point) -> Option<f64> {
    // CAST: far below 2^53.
    point
        .checkpoint
        .result
        .ok()
        .map(|_| point.checkpoint.busiest as f64)
}

/// How long a restart takes, milliseconds. It does not depend on the shape: one is drawn.
pub fn restart(point: &Point) -> Option<f64> {
    drawn(point).map(|restart| ms(restart.total))
}

/// The messages of the busiest node in a restart.
pub fn restart_busiest(point: &Point) -> Option<f64> {
    // CAST: far below 2^53.
    drawn(point).map(|restart| restart.busiest as f64)
}

fn drawn(point: &Point) -> Option<recovery::Outcome> {
    let tree = (point.shape, point.fanout) == (Shape::Tree, Fanout::Hierarchical);
    point.restart.filter(|_| tree)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn present() -> Profile {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        Profile::load(&folder.join("present.toml")).unwrap()
    }

    fn at(shape: Shape, nodes: u32, fanout: Fanout) -> Point {
        let application = application(shape, nodes, 1 << 20);
        point(&present(), application, fanout, Store::Parallel).unwrap()
    }

    #[test]
    fn every_shape_is_committed_whole() {
        for shape in SHAPES {
            for nodes in [1, 2, 3, 50, 700] {
                for fanout in [Fanout::Flat, Fanout::Hierarchical] {
                    let point = at(shape, nodes, fanout);
                    let report = point.checkpoint.result.unwrap();
                    assert_eq!((report.parts, report.counts.processes), (nodes, 16 * nodes));
                    assert_eq!(report.totals.bytes, u64::from(nodes) * (16 << 20));
                    assert_eq!(point.restart.is_some(), nodes <= 254);
                }
            }
        }
    }

    #[test]
    fn where_degrees_are_bounded_messages_and_pause_grow_with_the_logarithm() {
        for shape in [Shape::Tree, Shape::Mesh] {
            let small = at(shape, 100, Fanout::Hierarchical).checkpoint;
            let large = at(shape, 10_000, Fanout::Hierarchical).checkpoint;
            // The logarithm doubles from a hundred to ten thousand; a hundredfold would be linear.
            let (messages, pauses) = ((small.busiest, large.busiest), (small.pause, large.pause));
            assert!(messages.1 <= 2 * messages.0, "{shape:?} {messages:?}");
            assert!(pauses.1 * 10 <= 25 * pauses.0, "{shape:?} {pauses:?}");
        }
    }

    #[test]
    fn a_hierarchy_spares_the_master_of_a_farm() {
        let flat = at(Shape::Farm, 1_000, Fanout::Flat).checkpoint;
        let tree = at(Shape::Farm, 1_000, Fanout::Hierarchical).checkpoint;
        assert!(flat.busiest >= 10 * 999, "{}", flat.busiest);
        assert!(
            tree.busiest * 20 < flat.busiest,
            "{} {}",
            tree.busiest,
            flat.busiest
        );
        assert!(tree.pause < flat.pause, "{} {}", tree.pause, flat.pause);
        // What its links cost is a few messages for every thousand.
        let large = at(Shape::Farm, 10_000, Fanout::Hierarchical).checkpoint;
        assert!(large.busiest <= tree.busiest + 40, "{}", large.busiest);
    }

    /// docs/adr/0013: a restart need not be hierarchical.
    #[test]
    fn what_is_said_is_little_of_the_largest_restart() {
        let silent = Profile {
            network: crate::cost::profile::Network {
                latency_us: 0.0,
                message_us: 0.0,
                ..present().network
            },
            ..present()
        };
        let all = application(Shape::Tree, recovery::NODES_MAX, 64 << 20);
        let took = |profile: &Profile| {
            let outcome = recovery::restart(profile, all, Store::Parallel, all.nodes).unwrap();
            assert_eq!(outcome.result, Ok(16 * all.nodes));
            outcome.total
        };
        let (with, without) = (took(&present()), took(&silent));
        assert!(with * 100 <= without * 105, "{with} {without}");
    }
}
