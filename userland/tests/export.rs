// SPDX-License-Identifier: GPL-2.0
//! Exported versions: unpacked whole under their own or a fresh id, or not at all.
#[path = "support/folder.rs"]
mod folder;
#[path = "support/tool.rs"]
mod tool;
#[path = "support/version.rs"]
mod version;

use folder::Folder;
use ssi_tools::export::{pack, unpack, Unpacked};
use ssi_tools::image::check;
use std::path::Path;
use tool::{refused, run, talk};
use version::Version;

const IMAGE: &str = env!("CARGO_BIN_EXE_ssi-image");
const RESTART: &str = env!("CARGO_BIN_EXE_restart");
const SAMPLE: Version = Version {
    application: 37143,
    number: 2,
    nodes: &[1, 3],
    path: "/data/in",
};

/// The sample in one file.
fn exported() -> Vec<u8> {
    let store = Folder::new(&format!("exported-{:?}", std::thread::current().id()));
    let mut out = Vec::new();
    pack(&SAMPLE.write(&store.0), &mut out, Path::new("out")).unwrap();
    out
}

fn entries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_version_comes_as_it_went() {
    let store = Folder::new("came");
    let bytes = exported();
    let came = Unpacked {
        application: 37143,
        version: 2,
    };
    assert_eq!(unpack(&bytes[..], &"in", &store.0), Ok(came));
    let sums = check::folder(&store.0.join("37143/v2")).unwrap();
    assert_eq!(
        (sums.application, sums.processes, sums.pages),
        (37143, 2, 6)
    );
    // Once more is nothing new.
    assert_eq!(unpack(&bytes[..], &"in", &store.0), Ok(came));
    assert_eq!(entries(&store.0), ["37143"]);
}

#[test]
fn a_name_that_is_taken_is_replaced_by_a_fresh_one() {
    let store = Folder::new("taken");
    std::fs::create_dir_all(store.0.join("37143/v1")).unwrap();
    let came = unpack(&exported()[..], &"in", &store.0).unwrap();
    assert!(came.application != 37143 && came.version == 2);
    let folder = store.0.join(came.application.to_string()).join("v2");
    let sums = check::folder(&folder).unwrap();
    assert_eq!((sums.application, sums.processes), (came.application, 2));
    assert_eq!(entries(&store.0.join("37143")), ["v1"]);
}

#[test]
fn what_is_broken_leaves_nothing_behind() {
    let store = Folder::new("broken");
    let whole = exported();
    for at in (0..whole.len()).step_by(911) {
        for change in ["cut", "flipped"] {
            let mut bytes = whole.clone();
            match change {
                "cut" => bytes.truncate(at),
                _ => bytes[at] ^= 0x40,
            }
            // What is no part of the image may change: owners and padding of the archive.
            if let Err(fault) = unpack(&bytes[..], &"in", &store.0) {
                assert!(
                    fault.text.contains("in: ") || fault.text.contains("node-"),
                    "{fault:?}"
                );
                assert_eq!(entries(&store.0), [""; 0], "{at} {change}: {fault:?}");
            } else {
                assert!(change == "flipped" || at > whole.len() - 1024, "{at}");
                check::folder(&store.0.join("37143/v2")).unwrap();
                std::fs::remove_dir_all(store.0.join("37143")).unwrap();
            }
        }
    }
}

#[test]
fn no_name_leads_out_of_the_store() {
    let store = Folder::new("names");
    for name in [
        "../commit",
        "node-1/../../x",
        "/commit",
        "node-1/core",
        "commit.tmp",
    ] {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(4);
        header.set_cksum();
        archive.append(&header, &b"text"[..]).unwrap();
        let bytes = archive.into_inner().unwrap();
        let fault = unpack(&bytes[..], &"in", &store.0).unwrap_err();
        assert!(
            fault.text.contains("no file of a version may stand here"),
            "{fault:?}"
        );
    }
    assert_eq!(entries(&store.0), [""; 0]);
}

#[test]
fn restart_takes_a_file_or_its_input() {
    let store = Folder::new("restart");
    let file = store.0.join("job.ssi");
    std::fs::write(&file, exported()).unwrap();
    let file = file.to_str().unwrap();
    let target = Folder::new("restart-target");
    // Without the module this is as far as it comes: the version is there.
    refused(&run(RESTART, &[&target.option(), file]), 3, "modprobe ssi");
    check::folder(&target.0.join("37143/v2")).unwrap();
    refused(
        &talk(RESTART, &[&target.option(), "-"], &exported()),
        3,
        "modprobe ssi",
    );
    refused(
        &talk(RESTART, &[&target.option(), "-"], b"no image"),
        24,
        "standard input",
    );
    refused(
        &talk(RESTART, &[&target.option(), "-"], b""),
        24,
        "standard input",
    );
    refused(
        &run(RESTART, &[&target.option(), "/nonexistent"]),
        23,
        "/nonexistent",
    );
    refused(
        &run(RESTART, &[&target.option(), file, "2"]),
        2,
        "one version",
    );
    assert!(run(IMAGE, &["verify", file])
        .text()
        .contains("37143 is whole"));
}

#[test]
fn a_part_on_another_disk_is_missed() {
    let store = Folder::new("apart");
    let folder = SAMPLE.write(&store.0);
    std::fs::remove_dir_all(folder.join("node-3")).unwrap();
    let fault = pack(&folder, Vec::new(), Path::new("out")).unwrap_err();
    assert!(fault.text.contains("node-3/part is not there"), "{fault:?}");
}
