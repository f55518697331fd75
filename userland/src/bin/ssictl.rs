// SPDX-License-Identifier: GPL-2.0
//! Joins and leaves a cluster, empties a node, writes versions to disk, shows nodes and processes.
use clap::Parser;
use ssi_tools::args::{absolute, Ctl, CtlCommand, Drain, Flush, Join, Status};
use ssi_tools::exit::{finish, Fault};
use ssi_tools::message::explain_control;
use ssi_tools::{call, config, drain, flush, limits, memory, status};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Ctl::parse();
    finish("ssictl", || match args.command {
        CtlCommand::Join(join) => enter(&join),
        CtlCommand::Leave => call::leave().map_err(|error| explain_control(&error)),
        CtlCommand::Drain(what) => empty(&what),
        CtlCommand::Flush(what) => write_down(&what),
        CtlCommand::Limits {
            json: _,
            memory: Some(limit),
        } => memory::mount(&limit),
        CtlCommand::Limits { json, memory: None } => bounds(json),
        CtlCommand::Status(what) => show(&what),
    })
}

fn enter(join: &Join) -> Result<(), Fault> {
    let cluster = config::read(&join.config, join.node)?;
    memory::mount(&cluster.memory)?;
    call::join(cluster.join, &cluster.nodes).map_err(|error| explain_control(&error))
}

fn empty(what: &Drain) -> Result<(), Fault> {
    let store = absolute(&what.store)?;
    drain::drain(&store, &mut |moved| {
        match what.json {
            true => println!("{}", status::json(moved)?),
            false => println!("{moved}"),
        }
        Ok(())
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
        true => println!("{}", status::json(&done)?),
        false => println!("{done}"),
    }
    Ok(())
}

fn bounds(json: bool) -> Result<(), Fault> {
    let all = limits::all();
    match json {
        true => println!("{}", status::json(&all)?),
        false => print!("{}", limits::table(&all)),
    }
    Ok(())
}

fn show(what: &Status) -> Result<(), Fault> {
    if what.processes {
        let (processes, all) = call::processes().map_err(|error| explain_control(&error))?;
        if all > processes.len() {
            let (shown, all) = (processes.len(), all);
            eprintln!("ssictl: {shown} of {all} processes are shown");
        }
        let processes: Vec<_> = processes.iter().map(status::Process::from).collect();
        return print(what, &processes, status::process_table);
    }
    let nodes = call::nodes().map_err(|error| explain_control(&error))?;
    if let Some(advice) = status::advice(&nodes) {
        eprintln!("ssictl: {advice}");
    }
    let nodes: Vec<_> = nodes.iter().map(status::Node::from).collect();
    print(what, &nodes, status::node_table)
}

fn print<T: serde::Serialize>(
    what: &Status,
    entries: &[T],
    table: impl Fn(&[T]) -> String,
) -> Result<(), Fault> {
    if what.json {
        println!("{}", status::json(entries)?);
    } else {
        print!("{}", table(entries));
    }
    Ok(())
}
