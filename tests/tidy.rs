// SPDX-License-Identifier: GPL-2.0
//! The rules of the house that a machine can check, over every source file of the tree.
use ssi_core::image::frame::Kind;
use std::path::{Path, PathBuf};

/// Most lines of a source file, its own unit tests not counted.
const LINES_MAX: usize = 400;
/// Most columns of a line, with tabs of eight.
const COLUMNS_MAX: usize = 100;
/// Lines of C added to files of the kernel stay below this.
const PATCH_LINES_MAX: usize = 700;
/// The only places of Rust code that may be unsafe.
const UNSAFE_DOORS: [&str; 2] = ["rust/kernel-ssi/sys/", "userland/src/call.rs"];
/// File names that say nothing.
const EMPTY_NAMES: [&str; 4] = ["mod", "utils", "common", "types"];
/// Folders of a developer's machine, in two halves so that this file does not name them.
const MACHINE_PATHS: [(&str, &str); 3] = [("/wo", "rk/"), ("/tm", "p/w/"), ("/ho", "me/")];

/// One file of the tree.
struct Source {
    /// Relative to the tree's root.
    name: String,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Shell,
    Python,
    Toml,
    Other,
}

impl Source {
    fn language(&self) -> Language {
        let extension = Path::new(&self.name)
            .extension()
            .and_then(|name| name.to_str());
        match extension {
            Some("rs") => Language::Rust,
            Some("c" | "h") => Language::C,
            Some("sh") => Language::Shell,
            Some("py") => Language::Python,
            Some("toml") => Language::Toml,
            _ if self.text.starts_with("#!/usr/bin/python3") => Language::Python,
            _ if self.text.starts_with("#!") => Language::Shell,
            _ => Language::Other,
        }
    }

    fn is_code(&self) -> bool {
        !matches!(self.language(), Language::Toml | Language::Other)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file that belongs to the tree: not what a build leaves behind.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let is_link = path.symlink_metadata().unwrap().is_symlink();
            if name.starts_with(".git") || name == "target" || is_link {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Some(text) = belongs(&name).then(|| text(&path)).flatten() {
                sources.push(Source { name, text });
            }
        }
    }
    assert!(sources.len() > 40, "the tree was not found");
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

fn belongs(name: &str) -> bool {
    let built = [
        ".mod.c", ".o", ".ko", ".cmd", ".d", ".mod", ".rmeta", ".rlib", ".lock",
    ];
    !built.iter().any(|end| name.ends_with(end))
}

fn text(path: &Path) -> Option<String> {
    String::from_utf8(std::fs::read(path).unwrap()).ok()
}

/// Fails with the whole list, so that one run shows everything.
fn none(rule: &str, offenders: &[String]) {
    assert!(
        offenders.is_empty(),
        "{rule}:\n  {}",
        offenders.join("\n  ")
    );
}

#[test]
fn files_are_small() {
    let own = |source: &Source| {
        source
            .text
            .lines()
            .take_while(|line| *line != concat!("#[cfg", "(test)]"))
            .count()
    };
    let long = |source: &Source| source.is_code() && own(source) > LINES_MAX;
    let found: Vec<String> = sources()
        .into_iter()
        .filter(long)
        .map(|source| source.name)
        .collect();
    none("files of more than 400 lines", &found);
}

#[test]
fn lines_are_short() {
    let columns = |line: &str| -> usize {
        line.chars()
            .fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 })
    };
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.is_code()) {
        for (number, line) in source.text.lines().enumerate() {
            if columns(line) > COLUMNS_MAX {
                found.push(format!("{}:{}", source.name, number + 1));
            }
        }
    }
    none("lines of more than 100 columns", &found);
}

#[test]
fn files_say_what_they_are() {
    let mut found = Vec::new();
    for source in sources() {
        let mut lines = source
            .text
            .lines()
            .skip_while(|line| line.starts_with("#!/"));
        let licence = lines.next().unwrap_or_default();
        let tagline = lines.next().unwrap_or_default();
        let wanted: &[&str] = match source.language() {
            Language::Rust => &["//! "],
            Language::C => &["/* ", "// ", "/*"],
            Language::Shell => &["# "],
            Language::Python => &["\"\"\"", "# "],
            Language::Toml => &[""],
            Language::Other => continue,
        };
        if !licence.contains("SPDX-License-Identifier: GPL-2.0") {
            found.push(format!("{}: no SPDX line", source.name));
        } else if !wanted.iter().any(|start| tagline.starts_with(start)) {
            found.push(format!("{}: no tagline", source.name));
        }
    }
    none("every file starts with its licence and what it is", &found);
}

#[test]
fn unsafe_code_has_its_doors() {
    let word = |line: &str, word: &str| {
        let code = line.split("//").next().unwrap_or_default();
        let boundary = |c: char| !c.is_alphanumeric() && c != '_';
        code.split(boundary).any(|found| found == word)
    };
    let c_abi = concat!("extern ", "\"C\"");
    let mut found = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.language() == Language::Rust)
    {
        if UNSAFE_DOORS
            .iter()
            .any(|door| source.name.starts_with(door))
        {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            if word(line, concat!("uns", "afe")) || line.contains(c_abi) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none("code that is not safe, outside its doors", &found);
}

#[test]
fn the_kernel_sorts_on_a_fixed_stack() {
    let mut offenders = Vec::new();
    for source in sources() {
        let kernel = source.name.starts_with("rust/kernel-ssi/");
        let lines = source.text.lines().filter(|line| line.contains(".sort"));
        offenders.extend(
            lines
                .filter(|_| kernel)
                .map(|line| format!("{}: {line}", source.name)),
        );
    }
    none("the kernel sorts with ssi_core::sort", &offenders);
}

/// A tool that prints with a macro ends in a panic where its reader is gone.
#[test]
fn the_tools_say_nothing_with_macros() {
    let macros = ["println!", "print!", "eprintln!", "eprint!"];
    let mut found = Vec::new();
    for source in sources() {
        let tools = source.name.starts_with("userland/src/");
        for (number, line) in source.text.lines().enumerate().filter(|_| tools) {
            if macros.iter().any(|name| line.contains(&format!("{name}("))) {
                found.push(format!("{}:{}", source.name, number + 1));
            }
        }
    }
    none("the tools speak with userland/src/tool.rs", &found);
}

#[test]
fn names_say_something() {
    let empty = |source: &Source| {
        let stem = Path::new(&source.name)
            .file_stem()
            .and_then(|stem| stem.to_str());
        source.is_code() && EMPTY_NAMES.iter().any(|name| stem == Some(name))
    };
    let found: Vec<String> = sources()
        .into_iter()
        .filter(empty)
        .map(|source| source.name)
        .collect();
    none("file names that say nothing", &found);
}

#[test]
fn no_machine_is_named() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            let named = |(a, b): &(&str, &str)| line.contains(&format!("{a}{b}"));
            if MACHINE_PATHS.iter().any(named) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none("paths of somebody's machine", &found);
}

/// Lines of C that the patches add to files which the kernel has without them.
fn lines_added_to_kernel(patches: &[Source]) -> usize {
    let mut created = Vec::new();
    let mut from_nothing = false;
    let mut counts = false;
    let mut added = 0;
    for line in patches.iter().flat_map(|patch| patch.text.lines()) {
        if line.starts_with("--- ") {
            from_nothing = line == "--- /dev/null";
        } else if let Some(file) = line.strip_prefix("+++ b/") {
            if from_nothing {
                created.push(file);
            }
            let is_c = file.ends_with(".c") || file.ends_with(".h");
            counts = is_c && !created.contains(&file);
        } else if counts && line.starts_with('+') {
            added += 1;
        }
    }
    added
}

#[test]
fn the_kernel_patch_stays_thin() {
    let mut patches = sources();
    patches.retain(|source| source.name.ends_with(".patch"));
    let added = lines_added_to_kernel(&patches);
    assert!(added > 0, "the patches were not found");
    assert!(
        added < PATCH_LINES_MAX,
        "the patches add {added} lines to kernel files"
    );
}

#[test]
fn every_kind_of_record_has_its_coverage() {
    let coverage = std::fs::read_to_string(root().join("docs/coverage.md")).unwrap();
    let named = |kind: &Kind| coverage.contains(&format!("`{}`", kind.name()));
    let kinds: Vec<Kind> = (0..=u16::MAX).filter_map(Kind::new).collect();
    assert!(kinds.len() >= 25, "the kinds were not found");
    let found: Vec<String> = kinds
        .iter()
        .filter(|kind| !named(kind))
        .map(|kind| kind.name().to_owned())
        .collect();
    none(
        "kinds of records that docs/coverage.md does not name",
        &found,
    );
}
