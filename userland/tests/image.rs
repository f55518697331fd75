// SPDX-License-Identifier: GPL-2.0
//! ssi-image over a version that is whole, and over the same version with every byte broken.
#[path = "support/folder.rs"]
mod folder;
#[path = "support/tool.rs"]
mod tool;
#[path = "support/version.rs"]
mod version;

use folder::Folder;
use std::path::Path;
use tool::{refused, run, Outcome};
use version::Version;

const IMAGE: &str = env!("CARGO_BIN_EXE_ssi-image");
const SAMPLE: Version = Version {
    application: 37143,
    number: 2,
    nodes: &[1, 3],
    path: "/data/in\x1b[2J",
};

fn image(args: &[&str], path: &Path) -> Outcome {
    run(IMAGE, &[args, &[path.to_str().unwrap()]].concat())
}

/// Runs `test` on a copy of the file in which `change` broke something.
fn broken(path: &Path, change: impl FnOnce(&mut Vec<u8>), test: impl FnOnce()) {
    let whole = std::fs::read(path).unwrap();
    let mut bytes = whole.clone();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
    test();
    std::fs::write(path, whole).unwrap();
}

#[test]
fn a_whole_version_is_verified() {
    let store = Folder::new("whole");
    let folder = SAMPLE.write(&store.0);
    let text = image(&["verify"], &folder).text();
    assert!(text.starts_with("version 2 of application 37143 is whole: 2 processes of 2 nodes"));
    let outcome = run(IMAGE, &["verify", "--json", &store.option(), "37143:2"]);
    let sums: serde_json::Value = serde_json::from_str(&outcome.text()).unwrap();
    assert_eq!((&sums["pages"], &sums["records"]), (&6.into(), &18.into()));
    assert_eq!(outcome.code, 0, "{}", outcome.err);
}

#[test]
fn every_record_is_printed() {
    let store = Folder::new("print");
    let folder = SAMPLE.write(&store.0);
    let text = image(&["print"], &folder).text();
    for words in [
        "commit\n         0 Commit               37143 application=37143 version=2",
        "description=\"a sample\"",
        "node-3/part\n         0 PartHead                 3",
        "release=\"6.12.1\"",
        "path=\"/data/in\u{fffd}[2J\"",
        "exe_path=\"/bin/job\"",
        "content=(5 bytes, 26c7827d889f6da3)",
        "runs=[{address=0x10000 pages=1",
        "PartTail",
    ] {
        assert!(text.contains(words), "{text}\nlacks {words:?}");
    }
    let lines = image(&["print", "--json"], &folder.join("node-1")).text();
    assert_eq!(lines.lines().count(), 9);
    for line in lines.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            record["at"].is_u64() && record["says"].is_object(),
            "{line}"
        );
    }
}

#[test]
fn differences_are_named_and_have_a_code() {
    let store = Folder::new("diff");
    let old = SAMPLE.write(&store.0);
    let new = Version {
        number: 3,
        path: "/data/out",
        ..SAMPLE
    };
    let new = new.write(&store.0);
    let outcome = image(&["diff", old.to_str().unwrap()], &new);
    refused(&outcome, 6, "differences");
    let text = outcome.text();
    assert!(
        text.contains("~ commit Commit 0: version 2 -> 3\n"),
        "{text}"
    );
    let path = "~ node-1/part RegularFile 1: path \"/data/in\u{fffd}[2J\" -> \"/data/out\"\n";
    assert!(text.contains(path), "{text}");
    assert!(!text.contains("Process"), "{text}");
    assert_eq!(image(&["diff", old.to_str().unwrap()], &old).code, 0);
    let part = old.join("node-1");
    refused(
        &image(&["diff", old.to_str().unwrap()], &part),
        2,
        "can be compared",
    );
    let pages = image(
        &["diff", old.join("node-1").to_str().unwrap()],
        &new.join("node-3"),
    );
    assert!(pages
        .text()
        .contains("PageRuns 1: pages in runs that differ 3 -> 3"));
}

#[test]
fn every_byte_counts() {
    let store = Folder::new("bytes");
    let folder = SAMPLE.write(&store.0);
    for name in ["commit", "node-1/part", "node-3/mm-1"] {
        // Pages all look alike.
        let path = folder.join(name);
        let len = std::fs::metadata(&path).unwrap().len() as usize;
        for at in (0..len).step_by(if len > 2000 { 61 } else { 7 }) {
            broken(
                &path,
                |bytes| bytes[at] ^= 0x11,
                || {
                    let outcome = image(&["verify"], &folder);
                    refused(&outcome, 24, name.split('/').next().unwrap());
                },
            );
        }
    }
}

#[test]
fn what_is_cut_off_or_goes_on_is_named_with_its_place() {
    let store = Folder::new("cut");
    let folder = SAMPLE.write(&store.0);
    let part = folder.join("node-1/part");
    let (verify, print) = (|| image(&["verify"], &folder), || image(&["print"], &part));
    broken(
        &part,
        |bytes| bytes.truncate(100),
        || {
            refused(&verify(), 24, "node-1/part: at byte 0: it ends too early");
            refused(&print(), 24, "node-1/part: at byte 0: it ends too early");
        },
    );
    broken(
        &part,
        |bytes| bytes.push(0),
        || {
            refused(&verify(), 24, "goes on too long");
        },
    );
    broken(
        &part,
        |bytes| bytes.clear(),
        || refused(&verify(), 24, "node-1/part: at byte 0"),
    );
    let pages = folder.join("node-3/mm-1");
    broken(
        &pages,
        |bytes| bytes.truncate(8000),
        || {
            refused(
                &verify(),
                24,
                "node-3/mm-1: at byte 4096: it ends too early",
            );
        },
    );
    broken(
        &pages,
        |bytes| bytes[5000] = 0xff,
        || {
            refused(
                &verify(),
                24,
                "at byte 4096: the 2 pages of address 0x12000",
            );
        },
    );
}

#[test]
fn files_that_are_missing_or_nobodys_are_named() {
    let store = Folder::new("missing");
    let folder = SAMPLE.write(&store.0);
    std::fs::write(folder.join("node-1/mm-2"), "").unwrap();
    refused(
        &image(&["verify"], &folder),
        24,
        "mm-2: at byte 0: no part knows of this file",
    );
    std::fs::remove_file(folder.join("node-1/mm-2")).unwrap();
    std::fs::remove_file(folder.join("node-3/mm-1")).unwrap();
    refused(&image(&["verify"], &folder), 24, "node-3/mm-1 is missing");
    std::fs::remove_dir_all(folder.join("node-3")).unwrap();
    refused(&image(&["verify"], &folder), 24, "node-3/part is missing");
    std::fs::remove_file(folder.join("commit")).unwrap();
    refused(
        &image(&["verify"], &folder),
        23,
        "no version was committed here",
    );
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let store = Folder::new("none");
    let path = store.0.join("readme");
    std::fs::write(&path, "x".repeat(100)).unwrap();
    refused(
        &image(&["print"], &path),
        24,
        "readme: at byte 0: no record begins here",
    );
    refused(
        &image(&["verify"], Path::new("/nonexistent")),
        23,
        "/nonexistent",
    );
    refused(
        &run(IMAGE, &["print", &store.option(), "7"]),
        23,
        "no application 7",
    );
    refused(&run(IMAGE, &["print"]), 2, "IMAGE");
    refused(&run(IMAGE, &["prnt", "x"]), 2, "prnt");
}
