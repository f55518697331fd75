// SPDX-License-Identifier: GPL-2.0
//! The completions for shells say what the tools' own definitions say; BLESS=1 rewrites them.
use clap_complete::{generate, Shell};
use ssi_tools::args::tools;
use std::path::Path;

/// What only the kernel starts needs none.
const HELPER: &str = "ssi-restart-helper";

/// Each shell with the name under which it looks for a tool's completion.
const SHELLS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash", "TOOL"),
    (Shell::Zsh, "zsh", "_TOOL"),
    (Shell::Fish, "fish", "TOOL.fish"),
];

#[test]
fn completions_say_what_the_tools_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let mut known = 0;
    for (shell, name, file) in SHELLS {
        for (mut tool, _) in tools()
            .into_iter()
            .filter(|(tool, _)| tool.get_name() != HELPER)
        {
            let name_of_tool = tool.get_name().to_owned();
            let path = folder.join(name).join(file.replace("TOOL", &name_of_tool));
            let mut text = Vec::new();
            generate(shell, &mut tool, name_of_tool, &mut text);
            if std::env::var_os("BLESS").is_some() {
                std::fs::create_dir_all(folder.join(name)).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let found = std::fs::read(&path).unwrap_or_default();
            let stale = format!("{} is out of date: BLESS=1 cargo test", path.display());
            assert!(found == text, "{stale}");
            known += 1;
        }
    }
    let mut found = 0;
    for shell in std::fs::read_dir(&folder).unwrap() {
        found += std::fs::read_dir(shell.unwrap().path()).unwrap().count();
    }
    assert_eq!(found, known, "a completion of no tool");
}
