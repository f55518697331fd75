// SPDX-License-Identifier: GPL-2.0
//! Every story of `tests/scenarios` is told as its transcript says; `BLESS=1` rewrites them.
use ssi_sim::story::Story;
use std::path::Path;

#[test]
fn stories_are_told_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("tests/scenarios")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the stories were not found");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a story");
        let name = path.display();
        let story = Story::parse(&text).unwrap_or_else(|why| panic!("{name}:{why}"));
        let told = story.tell(None).transcript;
        assert!(!told.contains("\nbreaks "), "{name}: {told}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, format!("{}{told}", story.head)).expect("a writable story");
        } else {
            assert_eq!(
                told, story.transcript,
                "{name}: BLESS=1 accepts the transcript"
            );
        }
    }
}
