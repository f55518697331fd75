// SPDX-License-Identifier: GPL-2.0
//! Joins and leaves a cluster, empties a node, writes versions to disk, shows nodes and processes.
use ssi_tools::args::{absolute, Ctl, CtlCommand, Drain, Flush, Join, Limits, Status};
use ssi_tools::exit::{Exit, Fault};
use ssi_tools::message::explain_control;
use ssi_tools::{call, config, drain, flush, limits, memory, status, tool};
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::run(|args: &Ctl| match &args.command {
        CtlCommand::Join(join) => enter(join),
        CtlCommand::Leave => call::leave().map_err(|error| explain_control(&error)),
        CtlCommand::Drain(what) => empty(what),
        CtlCommand::Flush(what) => write_down(what),
        CtlCommand::Limits(what) => bounds(what),
        CtlCommand::Status(what) => show(what),
    })
}

fn enter(join: &Join) -> Result<(), Fault> {
    let cluster = config::read(&join.config, join.node)?;
    is_loaded()?;
    let was_there = memory::is_there();
    memory::mount(&cluster.memory)?;
    call::join(cluster.join, &cluster.nodes).map_err(|error| {
        if !was_there {
            // Without a cluster it is of no use.
            let _ = memory::mount(&memory::Limit::Nothing);
        }
        explain_control(&error)
    })
}

/// Fails where there is no module: nothing has been done yet.
fn is_loaded() -> Result<(), Fault> {
    let fault = call::nodes().err().map(|error| explain_control(&error));
    match fault.filter(|fault| fault.exit == Exit::NoModule) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

fn empty(what: &Drain) -> Result<(), Fault> {
    let store = absolute(&what.store)?;
    drain::drain(&store, &mut |moved| match what.json {
        true => tool::say(status::json(moved)?),
        false => tool::say(moved),
    })?;
    match what.leave {
        true => call::leave().map_err(|error| explain_control(&error)),
        false => Ok(()),
    }
}

fn write_down(what: &Flush) -> Result<(), Fault> {
    let store = absolute(&what.store)?;
    let done = flush::flush(what.application, what.version_number, &store, what.copies)?;
    match what.json {
        true => tool::report(status::json(&done)?),
        false => tool::report(done),
    }
}

fn bounds(what: &Limits) -> Result<(), Fault> {
    if let Some(limit) = &what.memory {
        return memory::mount(limit);
    }
    let all = limits::all();
    match what.json {
        true => tool::say(status::json(&all)?),
        false => tool::say(limits::table(&all)),
    }
}

fn show(what: &Status) -> Result<(), Fault> {
    if what.processes {
        let (processes, all) = call::processes().map_err(|error| explain_control(&error))?;
        if all > processes.len() {
            let (shown, all) = (processes.len(), all);
            tool::note(format_args!("ssictl: {shown} of {all} processes are shown"));
        }
        let processes: Vec<_> = processes.iter().map(status::Process::from).collect();
        return print(what, &processes, status::process_table);
    }
    let nodes = call::nodes().map_err(|error| explain_control(&error))?;
    if let Some(advice) = status::advice(&nodes) {
        tool::note(format_args!("ssictl: {advice}"));
    }
    let nodes: Vec<_> = nodes.iter().map(status::Node::from).collect();
    print(what, &nodes, status::node_table)
}

fn print<T: serde::Serialize>(
    what: &Status,
    entries: &[T],
    table: impl Fn(&[T]) -> String,
) -> Result<(), Fault> {
    match what.json {
        true => tool::say(status::json(entries)?),
        false => tool::say(table(entries)),
    }
}
