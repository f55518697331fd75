// SPDX-License-Identifier: GPL-2.0
//! The golden table of surveys: every state with every event.

use super::{asked, located, node, set};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::node::NodeSet;
use crate::survey::{Effect, Event, Survey};
use crate::trial::{golden, listed};

/// What stands at the head of the table.
const PROOFS: &str = "\
A line with (never: x) says what the survey would do; why the event does not come there says x:
a: a host drops a survey that is over.
";

fn answer(raw: u32) -> Event {
    Event::Located(node(raw), located(&[1, 2], 1))
}

fn events() -> Vec<(&'static str, Event)> {
    let failure = Failure::new(FailureCode::Media);
    vec![
        ("Start", Event::Start { ask: set(&[1, 2]) }),
        (
            "Start alone",
            Event::Start {
                ask: NodeSet::EMPTY,
            },
        ),
        ("Located 1", answer(1)),
        ("Located 2", answer(2)),
        ("Located stranger", answer(9)),
        ("NotLocated 2", Event::NotLocated(node(2), failure)),
        ("PeerDown 1", Event::PeerDown(node(1))),
        ("PeerDown 2", Event::PeerDown(node(2))),
        ("PeerDown stranger", Event::PeerDown(node(9))),
        ("Deadline", Event::Deadline),
    ]
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Ask { to } => format!("Locate to {to:?}"),
        Effect::Timer { ms } => format!("timer {ms}"),
        Effect::Done => "done".into(),
    }
}

fn rows(after: &str, survey: &Survey) -> String {
    let mut text = format!("\nsurvey {} after {after}\n", survey.state());
    let mut ignored = Vec::new();
    for (name, event) in events() {
        let (mut next, mut effects) = (survey.clone(), Vec::new());
        next.step(event, &mut |done| effects.push(effect(&done)));
        if effects.is_empty() && next == *survey {
            ignored.push(name.into());
            continue;
        }
        let line = format!("  {name:<18} -> {}: {}", next.state(), effects.join(", "));
        let line = line.trim_end_matches([':', ' ']);
        let never = if survey.over { " (never: a)" } else { "" };
        text += &format!("{line}{never}\n");
    }
    text + &listed("ignored", &ignored)
}

#[test]
fn the_table_is_known() {
    let mut text = String::from("Who holds what: every state with every event.\n");
    text += PROOFS;
    text += &rows("nothing", &Survey::new(set(&[1, 2])));
    let mut survey = asked(&[1, 2], &[1, 2]);
    text += &rows("Start", &survey);
    survey.step(answer(1), &mut |_| ());
    text += &rows("Located", &survey);
    survey.step(answer(2), &mut |_| ());
    text += &rows("Located", &survey);
    golden("survey.table.txt", &text);
}
