// SPDX-License-Identifier: GPL-2.0
//! The manual pages in man/ say what the tools' own definitions say; BLESS=1 rewrites them.
use clap::Command;
use clap_mangen::roff::{roman, Roff};
use clap_mangen::Man;
use ssi_tools::args::{tools, EXITS_TITLE};
use std::path::{Path, PathBuf};

/// Every page: its file name and its text.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for (tool, section) in tools() {
        let name = tool.get_name().to_owned();
        for part in tool.get_subcommands() {
            let full = format!("{name}-{}", part.get_name());
            let part = part
                .clone()
                .name(full.clone())
                .version(env!("CARGO_PKG_VERSION"));
            let part = part.bin_name(full.replacen('-', " ", 1));
            pages.push((format!("{full}.{section}"), page(part, section)));
        }
        pages.push((format!("{name}.{section}"), page(tool, section)));
    }
    pages
}

fn page(tool: Command, section: u8) -> String {
    let exits = tool.get_after_help().expect("exit codes").to_string();
    let subcommands = tool.has_subcommands();
    let man = Man::new(tool)
        .section(section.to_string())
        .manual("Single system image");
    let mut out = Vec::new();
    man.render_title(&mut out).unwrap();
    man.render_name_section(&mut out).unwrap();
    man.render_synopsis_section(&mut out).unwrap();
    man.render_description_section(&mut out).unwrap();
    man.render_options_section(&mut out).unwrap();
    if subcommands {
        man.render_subcommands_section(&mut out).unwrap();
    }
    let mut more = Roff::new();
    more.control("SH", ["EXIT STATUS"]);
    for line in exits.lines().filter(|line| *line != EXITS_TITLE) {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        more.control("TP", ["5"])
            .text([roman(code)])
            .text([roman(meaning)]);
    }
    more.control("SH", ["SEE ALSO"]);
    more.text([roman(
        "checkpoint(1), restart(1), reliable_run(1), ssi-run(1), ssi-cap(1), ssi-image(1), \
         ssictl(8)",
    )]);
    more.to_writer(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pages_say_what_the_tools_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let mut known: Vec<PathBuf> = Vec::new();
    for (file, text) in pages() {
        let path = folder.join(&file);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{file} is out of date: BLESS=1 cargo test -p ssi-tools"
        );
        known.push(path);
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(
            known.contains(&path),
            "{} describes no tool",
            path.display()
        );
    }
}

#[test]
fn every_program_has_a_page() {
    let bins = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    for entry in std::fs::read_dir(bins).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let described = pages()
            .iter()
            .any(|(file, _)| file.starts_with(&format!("{name}.")));
        assert!(described, "{name} has no manual page");
    }
}
