// SPDX-License-Identifier: GPL-2.0
//! Tests of surveys: who is asked, who counts, and where parts go.

mod table;

use super::*;

fn node(raw: u32) -> NodeId {
    NodeId::new(raw).unwrap()
}

fn set(raw: &[u32]) -> NodeSet {
    raw.iter().fold(NodeSet::EMPTY, |set, raw| {
        set.union(&NodeSet::only(node(*raw)))
    })
}

fn located(parts: &[u32], newest: u32) -> Located {
    Located {
        parts: set(parts),
        newest,
        load: 0,
    }
}

fn step(survey: &mut Survey, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    survey.step(event, &mut |effect| effects.push(effect));
    effects
}

fn asked(parts: &[u32], ask: &[u32]) -> Survey {
    let mut survey = Survey::new(set(parts));
    let to = set(ask);
    assert_eq!(
        step(&mut survey, Event::Start { ask: to }),
        [Effect::Timer { ms: LOCATE_MS_MAX }, Effect::Ask { to }]
    );
    survey
}

fn answer(survey: &mut Survey, raw: u32, parts: &[u32]) -> Vec<Effect> {
    step(survey, Event::Located(node(raw), located(parts, raw)))
}

fn refused(survey: &Survey) -> Failure {
    assert!(survey.plan().is_none());
    survey.refusal()
}

fn places(survey: &Survey) -> Vec<(u32, u32)> {
    let plan = survey.plan().unwrap();
    plan.iter()
        .map(|(part, place)| (part.raw(), place.raw()))
        .collect()
}

#[test]
fn a_part_goes_where_it_is() {
    // Parts of 1, 2, 3, each with its second copy on the next. Node 3 is down.
    let mut survey = asked(&[1, 2, 3], &[1, 2]);
    assert!(answer(&mut survey, 1, &[1, 3]).is_empty());
    assert_eq!(answer(&mut survey, 2, &[1, 2]), [Effect::Done]);
    assert_eq!(places(&survey), [(1, 1), (2, 2), (3, 1)]);
    assert_eq!(survey.newest(), 2);
}

#[test]
fn on_a_shared_store_everybody_has_everything() {
    let mut survey = asked(&[1, 2, 3], &[1, 2, 4]);
    for raw in [1, 2, 4] {
        answer(&mut survey, raw, &[1, 2, 3, 7]);
    }
    assert_eq!(places(&survey), [(1, 1), (2, 2), (3, 4)]);
}

#[test]
fn a_part_that_nobody_has_is_named() {
    let mut survey = asked(&[1, 2, 3], &[1, 4]);
    answer(&mut survey, 1, &[1]);
    assert_eq!(answer(&mut survey, 4, &[]), [Effect::Done]);
    let failure = refused(&survey);
    assert_eq!(
        (failure.code, failure.node),
        (FailureCode::PartUnreachable, 2)
    );
    assert_eq!(failure.text.as_bytes(), b"2, 3");
}

#[test]
fn who_dies_holds_nothing() {
    let mut survey = asked(&[1, 2], &[1, 2, 3]);
    answer(&mut survey, 2, &[1, 2]);
    answer(&mut survey, 3, &[2]);
    assert!(step(&mut survey, Event::PeerDown(node(2))).is_empty());
    assert_eq!(step(&mut survey, Event::PeerDown(node(1))), [Effect::Done]);
    assert_eq!(refused(&survey).text.as_bytes(), b"1");
    let mut survey = asked(&[2], &[1, 2, 3]);
    for raw in [1, 2, 3] {
        answer(&mut survey, raw, &[2]);
    }
    step(&mut survey, Event::PeerDown(node(2)));
    assert_eq!(places(&survey), [(2, 1)]);
}

#[test]
fn a_failed_media_is_the_failure_only_where_it_matters() {
    let why = Failure::new(FailureCode::Media).on(node(2));
    for (parts, planned) in [(&[1][..], false), (&[1, 2], true)] {
        let mut survey = asked(&[1, 2], &[1, 2]);
        answer(&mut survey, 1, parts);
        let effects = step(&mut survey, Event::NotLocated(node(2), why));
        assert_eq!(effects, [Effect::Done]);
        assert_eq!(survey.plan().is_some(), planned);
        assert!(planned || survey.refusal() == why);
    }
}

#[test]
fn who_is_silent_is_named() {
    let mut survey = asked(&[1, 2], &[1, 2]);
    answer(&mut survey, 1, &[1]);
    assert_eq!(step(&mut survey, Event::Deadline), [Effect::Done]);
    let failure = refused(&survey);
    assert_eq!(
        (failure.code, failure.node),
        (FailureCode::NodeUnreachable, 2)
    );
    // What comes late, twice or from others says nothing.
    assert!(answer(&mut survey, 2, &[2]).is_empty());
    assert!(step(&mut survey, Event::Deadline).is_empty());
    assert!(survey.plan().is_none());
}

#[test]
fn nobody_to_ask() {
    let mut survey = Survey::new(set(&[1]));
    let ask = NodeSet::EMPTY;
    assert_eq!(step(&mut survey, Event::Start { ask }), [Effect::Done]);
    let failure = refused(&survey);
    assert_eq!(failure.code, FailureCode::NodeUnreachable);
}

#[test]
fn the_load_is_what_the_node_says() {
    let mut survey = asked(&[9], &[1, 2]);
    let parts = set(&[9]);
    for (raw, load) in [(1, 5), (2, 4)] {
        let located = Located {
            parts,
            newest: 0,
            load,
        };
        step(&mut survey, Event::Located(node(raw), located));
    }
    assert_eq!(places(&survey), [(9, 2)]);
}
